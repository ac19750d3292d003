"""The word that somebody has changed: from the worker's transaction to every open stream.

PostgreSQL carries it: a NOTIFY is heard when its batch commits, and never when it rolls back. It
may be lost with a connection, so it only says whom to look at, and a check finds what was missed.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, TypeAlias

import asyncpg
import structlog
from rapport_runtime.database import TIMEOUTS, driver
from rapport_runtime.failure import DRIVER
from rapport_runtime.http.problems import ApiError
from rapport_runtime.metrics import Metrics
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_profile.settings import ProfileSettings
from rapport_profile.told import load_versions

Listening: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_EVERYBODY: Final = "*"
_MOST_NAMED: Final = 200
"""Subjects in one word: PostgreSQL takes 8,000 bytes."""

_NOTIFY: Final = "SELECT pg_notify('rapport_profile_' || current_schema(), $1)"
"""A channel for each schema: what a rebuild does beside the live tables concerns nobody."""

_CHANNEL: Final = "SELECT 'rapport_profile_' || current_schema()"

_CONNECT_SECONDS: Final = 5.0
_PACE_SECONDS: Final = 0.05
_BACK_OFF_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_DEAF_SECONDS: Final = 10.0
_AT_ONCE: Final = 4

_log = structlog.get_logger(__name__)


async def notify(tx: AsyncConnection, subjects: Collection[str]) -> None:
    """Tells every API process, once the transaction commits, that these may have changed."""
    if subjects:
        many = len(subjects) > _MOST_NAMED
        connection = await driver(tx)
        await connection.execute(_NOTIFY, _EVERYBODY if many else " ".join(subjects))


class TooManyStreamsError(ApiError):
    """This process serves as many streams as it may."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__(
            "this process serves as many streams as it may; try again, or ask another",
            headers={"retry-after": "5"},
        )


class TooManyStreamsOfKeyError(ApiError):
    """The key has as many streams open as one key may have."""

    status_code = 429

    def __init__(self, most: int) -> None:
        super().__init__(
            f"the API key has {most} streams open in this process, and may not have more; "
            "end those that nobody looks at",
            headers={"retry-after": "5"},
        )


@dataclass(slots=True, eq=False)
class Watch:
    """One stream, waiting for news of one person."""

    key_id: str
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    anchor: str | None = None
    """The subject whose person it follows; None until that is known."""
    version: str = ""
    """`Head.version` as of its last look."""
    subjects: frozenset[str] = frozenset()
    is_left: bool = False
    """The client has gone."""

    def leave(self) -> None:
        self.is_left = True
        self.changed.set()

    async def wait(self, seconds: float) -> None:
        """Returns when there may be news, or after so many seconds."""
        try:
            await asyncio.wait_for(self.changed.wait(), max(0.0, seconds))
        except TimeoutError:
            return


class Hub:
    """Wakes the streams of one process. Made by `open_hub`."""

    def __init__(self, settings: ProfileSettings, metrics: Metrics) -> None:
        self.settings = settings.live
        self.is_closing = False
        self.turn = asyncio.Semaphore(_AT_ONCE)
        """Streams that read at the same time: when all wake at once, the others wait here, and
        agents who ask for a page find a free connection."""
        self.ends = metrics.counter("stream_ends", "Streams that ended, by reason", ("reason",))
        self.changes = metrics.counter("stream_changes", "Changes pushed to streams")
        metrics.gauge("streams_open", "Streams being served").set_function(
            lambda: len(self._watches)
        )
        self._url = make_url(settings.database.url).set(drivername="postgresql")
        self._watches: set[Watch] = set()
        self._of_key: Counter[str] = Counter()
        self._by_subject: defaultdict[str, set[Watch]] = defaultdict(set)
        self._due = asyncio.Event()
        self._checked_at = monotonic()

    def enter(self, key_id: str) -> Watch:
        """Raises TooManyStreamsError (503), TooManyStreamsOfKeyError (429)."""
        if len(self._watches) >= self.settings.streams:
            raise TooManyStreamsError
        if self._of_key[key_id] >= self.settings.streams_per_key:
            raise TooManyStreamsOfKeyError(self.settings.streams_per_key)
        watch = Watch(key_id)
        self._watches.add(watch)
        self._of_key[key_id] += 1
        return watch

    def leave(self, watch: Watch) -> None:
        self._watches.discard(watch)
        self._of_key[watch.key_id] -= 1
        if not self._of_key[watch.key_id]:
            del self._of_key[watch.key_id]
        self._unname(watch)

    def follow(self, watch: Watch, anchor: str, subjects: Collection[str], version: str) -> None:
        """The stream has looked at the person, who was these subjects at that moment."""
        watch.anchor, watch.version = anchor, version
        if watch.subjects != set(subjects):
            self._unname(watch)
            watch.subjects = frozenset(subjects)
            for subject in subjects:
                self._by_subject[subject].add(watch)
            # Between the look and this moment the new subjects had nobody who listened for them.
            watch.changed.set()

    def close(self) -> None:
        """Every stream ends as soon as its client has taken what it was sent."""
        self.is_closing = True
        for watch in self._watches:
            watch.changed.set()

    @property
    def is_deaf(self) -> bool:
        """Nobody has known for too long whether something was missed."""
        return monotonic() - self._checked_at > 2 * self.settings.safety_seconds + _DEAF_SECONDS

    async def run(self) -> None:
        """Listens until it is cancelled, with one connection after another."""
        failures = 0
        while True:
            try:
                async with self._connected() as connection:
                    failures = 0
                    await self._listen(connection)
            except (*DRIVER, OSError) as error:
                wait = _BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)]
                failures += 1
                _log.warning("nobody listens", reason=type(error).__name__, again_in=wait)
                await asyncio.sleep(wait)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Listening]:
        connection = await asyncpg.connect(
            self._url.render_as_string(hide_password=False),
            timeout=_CONNECT_SECONDS,
            command_timeout=_CONNECT_SECONDS,
            server_settings={**TIMEOUTS, "application_name": "rapport-profile-listener"},
        )
        try:
            yield connection
        finally:
            connection.terminate()

    async def _listen(self, connection: Listening) -> None:
        connection.add_termination_listener(lambda _: self._due.set())
        await connection.add_listener(await connection.fetchval(_CHANNEL), self._hear)
        while True:
            self._due.clear()
            await self._check(connection)
            await asyncio.sleep(_PACE_SECONDS)
            try:
                await asyncio.wait_for(self._due.wait(), self.settings.safety_seconds)
            except TimeoutError:
                continue

    def _hear(self, _: Listening, __: int, ___: str, word: object) -> None:
        if word == _EVERYBODY:
            self._due.set()
            return
        for subject in str(word).split():
            for watch in self._by_subject.get(subject, ()):
                watch.changed.set()

    async def _check(self, connection: Listening) -> None:
        """Wakes whoever has not seen the newest version of their person."""
        anchors = {watch.anchor for watch in self._watches if watch.anchor is not None}
        versions = await load_versions(connection, sorted(anchors))
        self._checked_at = monotonic()
        for watch in self._watches:
            if watch.anchor in anchors and versions.get(watch.anchor) != watch.version:
                watch.changed.set()

    def _unname(self, watch: Watch) -> None:
        for subject in watch.subjects:
            watching = self._by_subject[subject]
            watching.discard(watch)
            if not watching:
                del self._by_subject[subject]


@asynccontextmanager
async def open_hub(
    settings: ProfileSettings, metrics: Metrics, stopping: asyncio.Event
) -> AsyncIterator[Hub]:
    """A hub that listens; when `stopping` is set, its streams end."""
    hub = Hub(settings, metrics)

    async def close_in_time() -> None:
        await stopping.wait()
        hub.close()

    tasks = [asyncio.create_task(hub.run()), asyncio.create_task(close_in_time())]
    try:
        yield hub
    finally:
        hub.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
