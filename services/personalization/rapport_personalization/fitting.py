"""What no single part of a new document shows: names that mean nothing, parts without effect."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from rapport_personalization.domain.field import Type
from rapport_personalization.domain.fields import event_types
from rapport_personalization.marked import Loc
from rapport_personalization.problems import nearest
from rapport_personalization.schemas.trigger import (
    DelayPart,
    GoalPart,
    TriggerDocument,
    full_type,
    seconds,
)

_SCORED: Final = "score.updated.v1"
_THINGS: Final = ("session", "waiting")
"""Told by what is known of the person, and not by the event."""
_OF_EVERY_EVENT: Final = frozenset({"at", "channel", "type"})
_PERCENT: Final = 100


class Misfit(NamedTuple):
    """What does not fit, and where; the place in the text is for others to find."""

    loc: Loc
    message: str
    suggestion: str | None = None


def events_of(document: TriggerDocument) -> frozenset[str]:
    """Full types of what starts it; none where that is the calendar."""
    on = document.on
    scored = frozenset({_SCORED}) if on.score is not None else frozenset[str]()
    return frozenset(map(full_type, _named(on.event, on.events))) | scored


def misfits(document: TriggerDocument, known: Mapping[str, Type]) -> Iterator[Misfit]:
    """All of them; `known` are the fields that the document may name, with their types."""
    if document.on.calendar is not None:
        yield from _of_calendar(document)
    elif document.on.key is not None and document.on.key not in _THINGS:
        fields = _fields(events_of(document))
        for name in document.on.key.split("|"):
            yield from _unknown(("on", "key"), name, fields, _THINGS)
    if document.goal is not None and document.goal.key is not None:
        yield from _of_goal(document, document.goal, document.goal.key)
    if isinstance(document.delay, DelayPart):
        yield from _of_delay(document.delay, known)
    yield from _of_score(document)
    if document.offer is not None and set(document.channels) <= {"agent"}:
        yield Misfit(("offer",), "goes with a message to the customer, and there is none")


def _of_calendar(document: TriggerDocument) -> Iterator[Misfit]:
    reason = "has no effect on a day of the calendar"
    if document.on.key is not None:
        yield Misfit(("on", "key"), f"{reason}, which is about no thing")
    if document.on.anchor is not None:
        yield Misfit(("on", "anchor"), f"{reason}, which comes once a year")
    if isinstance(document.delay, DelayPart) or seconds(document.delay) != timedelta(0):
        yield Misfit(("delay",), f"{reason}, which begins at `on.calendar.at`")


def _of_goal(document: TriggerDocument, goal: GoalPart, key: str) -> Iterator[Misfit]:
    loc: Loc = ("goal", "key")
    yield from _unknown(loc, key, _fields(map(full_type, _named(goal.event, goal.events, goal))))
    if document.on.key is None and document.on.calendar is None:
        yield Misfit(loc, "needs `on.key`: without it there is no thing to be the same")
    elif document.on.calendar is not None:
        yield Misfit(loc, "has no effect on a day of the calendar, which is about no thing")


def _of_delay(delay: DelayPart, known: Mapping[str, Type]) -> Iterator[Misfit]:
    if delay.at_least is not None and known.get(delay.until) == "timestamp":
        yield Misfit(
            ("delay", "at_least"),
            f"has no effect on an instant, and `{delay.until}` is one; a duration may be short",
        )


def _of_score(document: TriggerDocument) -> Iterator[Misfit]:
    score = document.on.score
    if score is None or score.score != "churn_risk" or 0 < score.above < 1:
        return
    share = score.above / _PERCENT
    yield Misfit(
        ("on", "score", "above"),
        "a churn risk lies between 0 and 1",
        f"{share:g}" if 0 < share < 1 else None,
    )


def _unknown(
    loc: Loc, name: str, fields: Iterable[str], more: Iterable[str] = ()
) -> Iterator[Misfit]:
    """A name that none of the events has."""
    if name not in (names := sorted(fields)):
        yield Misfit(loc, f"there is no `{name}` in its events", nearest(name, [*names, *more]))


def _fields(events: Iterable[str]) -> set[str]:
    """By which one of them may name a thing."""
    return {
        name
        for event in events
        for name, type_ in event_types(event).items()
        if type_ == "string" and name not in _OF_EVERY_EVENT
    }


def _named(event: str | None, events: list[str] | None, goal: GoalPart | None = None) -> list[str]:
    none_of = None if goal is None else goal.none_of
    return none_of or events or ([event] if event is not None else [])
