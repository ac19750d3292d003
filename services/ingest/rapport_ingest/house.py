"""What both doors, HTTP and Kafka, hand events over to; one per process."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client import Counter
from rapport_privacy.deadline import in_time
from rapport_privacy.keyring import Keyring
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.http.problems import ApiError
from rapport_runtime.metrics import Metrics
from rapport_runtime.producer import EventProducer
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rapport_ingest.draft import Draft, Rejection
from rapport_ingest.pipeline.accept import Accepted, Delivery, accept
from rapport_ingest.pipeline.line import Kept, Line
from rapport_ingest.quarantine.payload import row_of
from rapport_ingest.quarantine.store import save_refused

_PATIENCE: Final = 2.0


class QuarantineUnavailableError(ApiError):
    """A refused event cannot be kept at the moment, so its request is not acknowledged."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__(
            "the database for refused events does not answer; nothing is lost if you send the "
            "request again after Retry-After",
            headers={"retry-after": "2"},
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """What is counted of events; labels are adapters and codes, never sources or customers."""

    accepted: Counter
    rejected: Counter
    left_out: Counter

    @classmethod
    def of(cls, metrics: Metrics) -> "Tally":
        return cls(
            metrics.counter("events_accepted", "Events in the log or the spool", ("adapter",)),
            metrics.counter("events_rejected", "Events refused", ("adapter", "code")),
            metrics.counter("identifiers_left_out", "Identifiers that name nobody", ("code",)),
        )

    def count(self, outcome: Kept | Rejection, adapter: str) -> None:
        if isinstance(outcome, Rejection):
            self.rejected.labels(adapter, outcome.code).inc()
        else:
            self.count_kept([outcome], adapter)

    def count_kept(self, kept: Sequence[Kept], adapter: str) -> None:
        if kept:
            self.accepted.labels(adapter).inc(len(kept))
        for one in kept:
            for problem in one.event.checked.left_out:
                self.left_out.labels(problem.code).inc()


@dataclass(frozen=True, slots=True)
class House:
    """Where events go from the doors."""

    line: Line
    keyring: Keyring
    producer: EventProducer
    engine: AsyncEngine
    tally: Tally

    async def accept(self, readings: Sequence[Draft | Rejection], delivery: Delivery) -> Accepted:
        """Publish the good ones, hold the others; see `pipeline.accept`.

        Raises KeyringUnavailableError, QuarantineUnavailableError and SpoolFullError: then the
        delivery is to come again, and nothing is lost or doubled by it.
        """
        accepted = await accept(readings, delivery, line=self.line, hold=self._hold)
        self.tally.count_kept(accepted.kept, delivery.adapter)
        for rejection in accepted.rejected:
            self.tally.count(rejection, delivery.adapter)
        return accepted

    async def _hold(self, rejections: Sequence[Rejection], delivery: Delivery) -> None:
        rows = [row_of(rejection, delivery, self.keyring) for rejection in rejections]
        with _told():
            await in_time(self._save(rows), _PATIENCE)

    async def _save(self, rows: Sequence[Mapping[str, Any]]) -> None:
        async with self.engine.begin() as connection:
            await save_refused(connection, rows)

    @asynccontextmanager
    async def database(self, seconds: float = _PATIENCE) -> AsyncIterator[AsyncConnection]:
        """One transaction, or QuarantineUnavailableError when it cannot be had in that time."""
        with _told():
            async with asyncio.timeout(seconds), self.engine.begin() as connection:
                yield connection


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except WAITED_FOR as error:
        if not is_environment(error):
            raise
        raise QuarantineUnavailableError from error
