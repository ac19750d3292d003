"""Follow-ups of feedback: how long customers wait until somebody got back to them."""

from collections.abc import Iterator
from typing import Final

import msgspec
from rapport_events import wire

from rapport_metrics.domain.facts import Dims, Fact
from rapport_metrics.domain.histogram import index
from rapport_metrics.domain.instants import instant, seconds_between
from rapport_metrics.domain.told import By, Told

_CALLED_OFF: Final = frozenset({"corrected", "erased"})
"""Outcomes of follow-ups that were needed no more: nobody got back to anybody."""


class Closing(msgspec.Struct, array_like=True, frozen=True):
    told: Told
    owner: str | None
    outcome: str | None
    informed: bool


class Loop(msgspec.Struct, array_like=True):
    """A follow-up. Until it was opened it counts nowhere."""

    opened: Told | None = None
    subject: str | None = None
    owner: str | None = None
    due: int | None = None
    closed: Closing | None = None


LoopEvent = wire.LoopOpened | wire.LoopClosed


def evolve(loop: Loop, data: LoopEvent, by: By) -> None:
    """The first opening under an id is the loop's, and the first closing ends it."""
    match data:
        case wire.LoopOpened() if loop.opened is None or by.told < loop.opened:
            loop.opened, loop.subject, loop.owner = by.told, by.subject, data.owner
            loop.due = None if data.due is None else instant(data.due)
        case wire.LoopClosed() if loop.closed is None or by.told < loop.closed.told:
            loop.closed = Closing(by.told, data.owner, data.outcome, bool(data.informed))


def facts(loop: Loop) -> Iterator[Fact]:
    """What a loop counts for, when it is closed: by its owner."""
    opened, closed = loop.opened, loop.closed
    if opened is None or closed is None or closed.outcome in _CALLED_OFF:
        return
    at, key = closed.told.at, closed.told.key
    dims = Dims(agent=closed.owner or loop.owner)
    seconds = max(0, seconds_between(opened.at, at))
    yield Fact("loop_time", at, dims, seconds, 1, key, index(seconds))
    yield Fact("loop_informed", at, dims, int(closed.informed), 1, key)
    if loop.due is not None:
        yield Fact("loop_in_time", at, dims, int(at <= loop.due), 1, key)
