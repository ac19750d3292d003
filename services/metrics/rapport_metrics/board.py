"""The headline KPIs as they are now, measured once for all who watch in this process."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final, NamedTuple, TypeGuard

import structlog
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.http.consistency import encode_token
from rapport_runtime.http.problems import ApiError
from rapport_runtime.metrics import Metrics
from rapport_runtime.pause import pause
from rapport_runtime.pool import Pool, Snapshot, snapshot
from rapport_runtime.standing import load_progress

from rapport_metrics.consumer import PROJECTOR
from rapport_metrics.domain.catalogue import CATALOGUE
from rapport_metrics.question import Question
from rapport_metrics.series import Point, load_points
from rapport_metrics.settings import MetricsSettings
from rapport_metrics.tables import FIRST
from rapport_metrics.watch import HEADLINE_DAYS, HEADLINES

_PACE_SECONDS: Final = 1.0
_STALE_SECONDS: Final = 60.0
"""Without any event, too, units grow old enough to be counted."""

_MOST_STREAMS: Final = 500
_HOUR: Final = timedelta(hours=1)

_log = structlog.get_logger(__name__)


class TooManyStreamsError(ApiError):
    """This process serves as many streams as it may."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__(
            "this process serves as many streams as it may; try again, or ask another",
            headers={"retry-after": "5"},
        )


class Headline(NamedTuple):
    """A KPI of the last days, of one currency where there are several."""

    kpi: str
    point: Point


class Shown(NamedTuple):
    """All headlines at one position of the log."""

    id: str
    """Also a consistency token: all before it is counted."""
    headlines: Sequence[Headline]
    measured_at: float


class Board:
    """What streams show. Made by `open_board`."""

    def __init__(
        self, settings: MetricsSettings, pool: Pool, metrics: Metrics, stopping: asyncio.Event
    ) -> None:
        self.heartbeat_seconds = 15.0
        self.most_streams = _MOST_STREAMS
        self.stopping = stopping
        self._settings, self._pool = settings, pool
        self._streams = 0
        self._shown: Shown | None = None
        self._looking = asyncio.Lock()
        self._changed = asyncio.Event()
        metrics.gauge("streams_open", "Streams being served").set_function(lambda: self._streams)

    def enter(self) -> None:
        """Raises TooManyStreamsError."""
        if self._streams >= self.most_streams:
            raise TooManyStreamsError
        self._streams += 1

    def leave(self) -> None:
        self._streams -= 1

    async def look(self) -> Shown:
        """The headlines, at most a second old. Raises what the database raises."""
        async with self._looking:
            shown = self._shown
            if shown is None or monotonic() - shown.measured_at >= _PACE_SECONDS:
                shown = await self._measure(shown)
            return shown

    async def newer(self, seen: Shown) -> Shown | None:
        """What came after `seen`; None when nothing did in the time of a heartbeat, or we stop."""
        changed, shown = self._changed, self._shown
        if shown is not None and shown.id != seen.id:
            return shown
        with suppress(TimeoutError):
            await asyncio.wait_for(changed.wait(), self.heartbeat_seconds)
        shown = self._shown
        return None if shown is None or shown is seen else shown

    async def run(self) -> None:
        """Looks while anybody watches, until we stop."""
        while not self.stopping.is_set():
            if self._streams:
                try:
                    await self.look()
                except WAITED_FOR as error:
                    if not is_environment(error):
                        raise
                    _log.warning("the board waits", reason=type(error).__name__)
            await pause(self.stopping, _PACE_SECONDS)
        self._turn()

    async def _measure(self, known: Shown | None) -> Shown:
        began_at = monotonic()
        async with snapshot(self._pool, hold=FIRST) as snap:
            progress = await load_progress(snap, PROJECTOR)
            at = encode_token({(one.topic, one.partition): one.next_offset - 1 for one in progress})
            if _is_fresh(known, at, began_at):
                return known
            headlines = await _load(snap, self._settings, datetime.now(UTC))
        self._shown = Shown(at, headlines, began_at)
        self._turn()
        return self._shown

    def _turn(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _is_fresh(known: Shown | None, at: str, now: float) -> TypeGuard[Shown]:
    return known is not None and known.id == at and now - known.measured_at < _STALE_SECONDS


async def _load(snap: Snapshot, settings: MetricsSettings, now: datetime) -> Sequence[Headline]:
    end = now.replace(minute=0, second=0, microsecond=0) + _HOUR
    found = []
    for kpi in HEADLINES:
        question = Question(
            kpi=CATALOGUE[kpi],
            windows=[(end - timedelta(days=HEADLINE_DAYS), end)],
            as_of=now,
            group_by=(),
            filters={},
            churn_window=settings.kpi.churn_window(),
            options=settings.options(),
        )
        found += [Headline(kpi, point) for point in await load_points(snap, question)]
    return found


@asynccontextmanager
async def open_board(
    settings: MetricsSettings, pool: Pool, metrics: Metrics, stopping: asyncio.Event
) -> AsyncIterator[Board]:
    board = Board(settings, pool, metrics, stopping)
    running = asyncio.create_task(board.run())
    try:
        yield board
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
