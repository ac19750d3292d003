"""What the sender tells Prometheus."""

import re
from time import monotonic
from typing import Final

from rapport_runtime.metrics import Metrics
from rapport_runtime.sender.message import Ending, Outcome

_COUNT_SECONDS: Final = 5.0
_CODE: Final = re.compile(r"_([1-5])\d\d\Z")


class Telemetry:
    """Messages by transport and by what became of them."""

    def __init__(self, metrics: Metrics) -> None:
        self._sent = metrics.counter("messages_sent", "Messages handed over", ["transport"])
        self._failed = metrics.counter(
            "messages_failed", "Attempts that did not get through", ["transport", "reason"]
        )
        self._counted_at = -_COUNT_SECONDS
        self._dead = metrics.gauge("deliveries_dead", "Deliveries in the dead list")

    def tell(self, transport: str, outcome: Outcome) -> None:
        if isinstance(outcome, Ending) and outcome.state == "sent":
            self._sent.labels(transport).inc()
        else:
            self._failed.labels(transport, label(outcome.reason or "unknown")).inc()

    def wants_count(self) -> bool:
        """Whether it is time to count the dead list again."""
        return monotonic() - self._counted_at >= _COUNT_SECONDS

    def stands(self, dead: int) -> None:
        self._counted_at = monotonic()
        self._dead.set(dead)


def label(reason: str) -> str:
    """One of few: `http_503` is `http_5xx`, and where a template is wrong is left out."""
    return _CODE.sub(r"_\1xx", reason.partition(":")[0])
