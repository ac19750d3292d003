"""What the sender tells Prometheus."""

import re
from typing import Final

from rapport_runtime.metrics import Metrics
from rapport_runtime.sender.message import Ending, Outcome

_CODE: Final = re.compile(r"_([1-5])\d\d\Z")


class Telemetry:
    """Messages by transport and by what became of them."""

    def __init__(self, metrics: Metrics) -> None:
        self._sent = metrics.counter("messages_sent", "Messages handed over", ["transport"])
        self._failed = metrics.counter(
            "messages_failed", "Attempts that did not get through", ["transport", "reason"]
        )
        self._dead = metrics.gauge("deliveries_dead", "Deliveries in the dead list")

    def tell(self, transport: str, outcome: Outcome) -> None:
        if isinstance(outcome, Ending) and outcome.state == "sent":
            self._sent.labels(transport).inc()
        else:
            self._failed.labels(transport, label(outcome.reason or "unknown")).inc()

    def stands(self, dead: int) -> None:
        self._dead.set(dead)


def label(reason: str) -> str:
    """One of few: `http_503` is `http_5xx`, and where a template is wrong is left out."""
    return _CODE.sub(r"_\1xx", reason.partition(":")[0])
