"""Keeps the parameters of the predictions that the metrics service estimates."""

from collections.abc import Sequence
from typing import Final

from rapport_events import wire
from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from rapport_events.topics import METRICS
from rapport_runtime.subscription import Derived, Subscription
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization.tables import model

PROJECTOR: Final = "personalization.metrics.v1"


async def learn(tx: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
    """Takes `model.fitted`; what else the metrics service says is not about single customers."""
    rows = [
        _row(record, data)
        for record in batch
        if isinstance(data := decode_data(record.envelope), wire.ModelFitted)
    ]
    if rows:
        await tx.execute(insert(model).on_conflict_do_nothing(), rows)
    return ()


def _row(record: Record, data: wire.ModelFitted) -> dict[str, object]:
    return {
        "event_key": record.key,
        "model": data.model,
        "definition": data.definition,
        "currency": data.currency,
        "as_of": data.as_of or record.envelope.time,
        "fitted_at": record.envelope.time,
        "buyers": data.buyers,
        "parameters": dict(data.parameters),
    }


SUBSCRIPTION = Subscription(name=PROJECTOR, topics=(METRICS.name,), apply=learn)
