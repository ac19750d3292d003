"""One live stream: what is new of a person, look by look, as events that a client can resume."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

import orjson
from fastapi.sse import format_sse_event
from rapport_runtime.http.auth import Principal
from rapport_runtime.http.problems import ApiError
from rapport_runtime.http.unavailable import DatabaseAwayError
from rapport_runtime.pool import Snapshot

from rapport_profile.api.live_view import ALWAYS, LiveView
from rapport_profile.api.people import CustomerNotFoundError, readable
from rapport_profile.api.visit import Visit
from rapport_profile.consumer import TOPICS
from rapport_profile.live import Hub, Watch
from rapport_profile.mask import Mask
from rapport_profile.position import LastEventIdForeignError, Position
from rapport_profile.reader import Stored, open_events
from rapport_profile.ref import Ref
from rapport_profile.told import Head, load_end, load_head, load_kept, load_news
from rapport_profile.views import timeline as views

_ENTRIES: Final = 100
"""Most entries of one change: a history that joins comes page by page, each to be resumed from."""

_LOOK_AROUND_SECONDS: Final = 1.5
_PACE_SECONDS: Final = 0.02
"""What happens faster than this is told together."""

_HEARTBEAT: Final = format_sse_event(comment="heartbeat")


class ServerStoppingError(ApiError):
    """The process ends; another one, or the same in a moment, goes on."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__("the service is being stopped or replaced; resume in a moment")


class ScopesChangedError(ApiError):
    """The key may now see more or less than when the stream began."""

    status_code = 403

    def __init__(self) -> None:
        super().__init__("what the API key may see has changed; resume to see it that way")


@dataclass(kw_only=True, slots=True)
class Following:
    """The state of one stream: just what its client has after the last event."""

    visit: Visit
    hub: Hub
    watch: Watch
    named: Ref
    anchor: str
    """The subject whose person it follows, through merges and unmerges."""
    shown: LiveView
    caller: Callable[[], Principal]
    """Who is calling, asked again. Raises ApiError."""
    position: Position = field(default_factory=lambda: Position({}))
    members: Sequence[str] = ()

    async def hello(self, resumed: Position | None) -> bytes:
        """The view as it is now; the id is the given position, or the end of the history.

        Raises CustomerNotFoundError, CustomerErasedError, LastEventIdForeignError, and what
        reads raise.
        """
        async with self.hub.turn, self.visit.snapshot() as (snap, moment):
            head = await self._head(snap)
            self.position = await _begin(snap, head.person.members, resumed)
            look = await self.shown.look(snap, moment, head.person)
        self._follow(head)
        profile = await self.shown.news(look, self.visit.mask())
        await self.visit.record("stream", [head.person.subject], self.shown.parts)
        said = {"event": "hello", "resumed": resumed is not None, "profile": profile}
        return _event(said, self.position)

    async def changes(self) -> AsyncIterator[bytes]:
        """Everything until the client leaves, and a heartbeat when there is nothing.

        Raises CustomerErasedError, CustomerNotFoundError, ServerStoppingError, ScopesChangedError,
        what `caller` raises, and what reads raise.
        """
        every = self.hub.settings.heartbeat_seconds
        beat_at = monotonic() + every
        while not self.watch.is_left:
            self._require_leave()
            if self.watch.changed.is_set():
                self.watch.changed.clear()
                async for frame in self._news():
                    yield frame
                    beat_at = monotonic() + every
                await asyncio.sleep(_PACE_SECONDS)
            elif monotonic() >= beat_at:
                yield _HEARTBEAT
                beat_at = monotonic() + every
            await self.watch.wait(min(_LOOK_AROUND_SECONDS, beat_at - monotonic()))

    async def _news(self) -> AsyncIterator[bytes]:
        is_all = False
        while not (is_all or self.watch.is_left):
            self._require_leave()
            frame, is_all = await self._next()
            if frame is not None:
                yield frame

    async def _next(self) -> tuple[bytes | None, bool]:
        """The next change, if there is one, and whether that is all for now."""
        async with self.hub.turn, self.visit.snapshot() as (snap, moment):
            head = await self._head(snap)
            news = await load_news(snap, head.person.members, self.position, _ENTRIES)
            look = await self.shown.look(snap, moment, head.person)
        self._follow(head)
        mask = self.visit.mask()
        entries = await self._entries(news.events, mask)
        profile = await self.shown.news(look, mask)
        fields = [*(profile.keys() - ALWAYS), *(["entries"] if entries else [])]
        if not (fields or news.anew):
            return None, news.is_all
        await self.visit.record("stream", [head.person.subject], fields)
        self.position = news.after
        self.hub.changes.inc()
        said = {
            "event": "change", "anew": news.anew, "entries": entries,
            "more": not news.is_all, "profile": profile,
        }  # fmt: skip
        return _event(said, news.after), news.is_all

    async def _head(self, snap: Snapshot) -> Head:
        head = await load_head(snap, self.anchor)
        if head is None:
            raise CustomerNotFoundError(self.named.kind)
        readable(head.person, self.named)
        return head

    def _follow(self, head: Head) -> None:
        members = head.person.members
        self.hub.follow(self.watch, self.anchor, members, head.version)
        if set(members) != set(self.members):
            self.members = members
            self.shown.forget()

    async def _entries(self, events: Sequence[Stored], mask: Mask) -> list[dict[str, Any]]:
        opened = await open_events(self.visit.library.keyring, events)
        entries = [views.event(one, TOPICS, mask) for one in opened]
        return [one.model_dump(mode="json", exclude_unset=True, by_alias=True) for one in entries]

    def _require_leave(self) -> None:
        if self.hub.is_closing:
            raise ServerStoppingError
        caller = self.caller()
        caller.require("profile:read")
        if caller.has("profile:pii") != self.visit.principal.has("profile:pii"):
            raise ScopesChangedError
        if self.hub.is_deaf:
            raise DatabaseAwayError


async def _begin(snap: Snapshot, members: Sequence[str], resumed: Position | None) -> Position:
    if resumed is None:
        return await load_end(snap, members)
    if resumed.marks.keys().isdisjoint(members):
        raise LastEventIdForeignError
    return await load_kept(snap, members, resumed)


def _event(said: dict[str, Any], position: Position) -> bytes:
    return format_sse_event(
        data_str=orjson.dumps(said).decode(), event=said["event"], id=position.encode()
    )
