"""What the loop tells: lines for people, figures for dashboards, lag for the watchdog."""

from collections.abc import Mapping
from time import monotonic

import structlog
from aiokafka import TopicPartition

from rapport_runtime.contract import Resources
from rapport_runtime.metrics import COUNTS
from rapport_runtime.subscription.batch import Batch
from rapport_runtime.subscription.transaction import Outcome

log = structlog.get_logger(__name__)

_OUTCOMES = ("applied", "repeated", "parked", "derived")


class Telemetry:
    """Metrics of one projector; labels are bounded: projector, topic, partition, outcome."""

    def __init__(self, resources: Resources, projector: str) -> None:
        metrics = resources.metrics
        self._projector = projector
        self._places: frozenset[TopicPartition] = frozenset()
        self._events = metrics.counter(
            "events", "Events by what became of them", ("projector", "outcome")
        )
        self._failures = metrics.counter(
            "batch_failures", "Batches rolled back and tried again", ("projector", "reason")
        )
        self._seconds = metrics.histogram(
            "batch_seconds", "From the first statement of a batch to its commit", ("projector",)
        )
        self._sizes = metrics.histogram("batch_events", "Events in a batch", ("projector",), COUNTS)
        labels = ("projector", "topic", "partition")
        self._position = metrics.gauge("position_offset", "Next offset to apply", labels)
        self._lag = metrics.gauge("lag_events", "Events in the log and not yet applied", labels)

    def committed(self, batch: Batch, outcome: Outcome, began_at: float) -> None:
        """One batch is applied."""
        seconds = monotonic() - began_at
        for name in _OUTCOMES:
            self._events.labels(self._projector, name).inc(getattr(outcome, name))
        self._seconds.labels(self._projector).observe(seconds)
        self._sizes.labels(self._projector).observe(len(batch))
        if outcome.parked:
            log.warning("events parked", projector=self._projector, parked=outcome.parked)
        log.debug(
            "batch applied",
            projector=self._projector,
            events=len(batch),
            duplicates=outcome.repeated,
            duration_ms=round(seconds * 1000, 1),
        )

    def rolled_back(self, reason: str, retry_seconds: float) -> None:
        """One batch was not applied; it will be read again."""
        self._failures.labels(self._projector, reason).inc()
        log.warning(
            "batch rolled back",
            projector=self._projector,
            reason=reason,
            retry_seconds=round(retry_seconds, 3),
        )

    def unowned(self) -> None:
        """Nobody works on some partitions: the group's assignment must be made anew."""
        log.warning("partitions without an owner", projector=self._projector)

    def claimed(self, positions: Mapping[TopicPartition, int]) -> None:
        """Partitions were taken over, or the same ones confirmed."""
        if positions.keys() != self._places:
            log.info("partitions claimed", projector=self._projector, partitions=len(positions))
        self._places = frozenset(positions)

    def stand(
        self, positions: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> int:
        """Show where we are; returns the events that wait."""
        waiting = 0
        for place, position in positions.items():
            labels = (self._projector, place.topic, str(place.partition))
            lag = max(0, ends.get(place, 0) - position)
            self._position.labels(*labels).set(position)
            self._lag.labels(*labels).set(lag)
            waiting += lag
        return waiting
