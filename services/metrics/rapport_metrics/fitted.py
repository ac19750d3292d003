"""What the log is told of a fit: `model.fitted`, one for each model."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

import orjson
from rapport_events.topics import METRICS
from rapport_runtime.subscription import Derived

from rapport_metrics.closing import SOURCE
from rapport_metrics.domain.catalogue import CATALOGUE

_MODELS: Final = ("bgnbd", "gamma_gamma")


def told(
    documents: Mapping[str, Mapping[str, Any]], as_of: datetime, at: datetime
) -> Iterator[Derived]:
    """Its id is made of what was learned: the same fit, made again, says it under the same id."""
    for model in _MODELS:
        document = documents[model]
        data = {
            "model": model,
            "parameters": document["parameters"],
            "definition": CATALOGUE["clv_predicted"].definition,
            "as_of": as_of.isoformat(),
            "buyers": document["customers"],
            "currency": documents["forecast"]["currency"],
        }
        data = {name: value for name, value in data.items() if value is not None}
        packed = orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
        yield Derived(
            cause=blake2b(packed, digest_size=16).digest(),
            rule="fitted",
            topic=METRICS.name,
            source=SOURCE,
            type="model.fitted.v1",
            time=at,
            data=data,
        )
