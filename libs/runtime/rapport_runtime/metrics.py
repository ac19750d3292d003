"""Prometheus metrics of one process, under one naming rule: rapport_<service>_<what>_<unit>."""

import re
from collections.abc import Sequence
from typing import Final, TypeVar

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
)
from prometheus_client.exposition import choose_encoder

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets for anything that a caller waits for."""

COUNTS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
"""Buckets for sizes of batches."""

_M = TypeVar("_M", Counter, Gauge, Histogram)

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class Metrics:
    """The registry of one process; a metric that is asked for twice is the same metric.

    Labels are bounded sets (topic, route template, outcome): never a customer, a key or an id.
    """

    def __init__(self, service: str) -> None:
        self.service = service
        self.registry = CollectorRegistry(auto_describe=False)
        for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
            self.registry.register(collector)
        self._known: dict[str, Counter | Gauge | Histogram] = {}

    def counter(self, what: str, help_text: str, labels: Sequence[str] = ()) -> Counter:
        """`what` without `_total`: the library adds it."""
        known = self._known.get(what)
        if known is None:
            known = Counter(self._name(what), help_text, labels, registry=self.registry)
            self._known[what] = known
        return _same(known, Counter, what)

    def gauge(self, what: str, help_text: str, labels: Sequence[str] = ()) -> Gauge:
        """`what` ends in its unit, as in `spool_bytes`."""
        known = self._known.get(what)
        if known is None:
            known = Gauge(self._name(what), help_text, labels, registry=self.registry)
            self._known[what] = known
        return _same(known, Gauge, what)

    def histogram(
        self,
        what: str,
        help_text: str,
        labels: Sequence[str] = (),
        buckets: Sequence[float] = SECONDS,
    ) -> Histogram:
        """`what` ends in its unit, as in `publish_seconds`."""
        known = self._known.get(what)
        if known is None:
            known = Histogram(
                self._name(what), help_text, labels, buckets=buckets, registry=self.registry
            )
            self._known[what] = known
        return _same(known, Histogram, what)

    def expose(self, accept: str) -> tuple[bytes, str]:
        """The scrape answer and its content type, as the `Accept` header asks for it."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    def _name(self, what: str) -> str:
        if not _NAME.fullmatch(what):
            raise ValueError(f"{what!r} is no metric name: lower case words joined by _")
        return f"rapport_{self.service}_{what}"


def _same(known: object, kind: type[_M], what: str) -> _M:
    if not isinstance(known, kind):
        raise TypeError(f"{what!r} is already a {type(known).__name__}, not a {kind.__name__}")
    return known
