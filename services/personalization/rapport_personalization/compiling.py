"""From the document of a trigger to the trigger: durations read, conditions compiled."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import time, timedelta
from typing import Final

from rapport_personalization.conditions import ConditionError, compile_condition
from rapport_personalization.domain.field import Type
from rapport_personalization.domain.fields import schema
from rapport_personalization.domain.policies import Cap
from rapport_personalization.domain.quiet import parsed
from rapport_personalization.domain.trigger import (
    Calendar,
    Condition,
    Delay,
    Entry,
    Goal,
    Offer,
    Score,
    Trigger,
)
from rapport_personalization.fitting import Misfit, events_of, misfits
from rapport_personalization.literals import check_condition
from rapport_personalization.marked import Loc, Marked
from rapport_personalization.problems import InvalidTriggerError, Problem, nearest, path_of
from rapport_personalization.schemas.trigger import (
    DelayPart,
    GoalPart,
    OfferPart,
    TriggerDocument,
    full_type,
    seconds,
)

_ANCHORS: Final = ("thing", "person", "day", "event", "revision")


def trigger_of(
    document: TriggerDocument,
    source: Marked,
    version: str,
    templates: Collection[str] | None = None,
    *,
    is_new: bool = False,
) -> Trigger:
    """With its conditions compiled. Raises InvalidTriggerError.

    `templates`: what a message may be put into words by; None: whatever it is called.
    `is_new`: it is refused for more than would keep one from being read that was accepted once.
    """
    known = schema(events_of(document))
    reader = _Reader(source, check_condition if is_new else compile_condition)
    if templates is not None and any(channel != "agent" for channel in document.channels):
        reader.field(("template",), document.template, templates, "template")
    for one in misfits(document, known) if is_new else ():
        reader.misfit(one)
    found = Trigger(
        id=document.id,
        version=version,
        rank=document.rank,
        kind=document.kind,
        description=document.description,
        on=_entry(document, known, reader),
        when=reader.condition(("when",), document.when, known),
        unless=reader.condition(("unless",), document.unless, _without_event(known)),
        cancel=reader.condition(("cancel",), document.cancel, _without_event(known)),
        delay=_delay(document.delay, known, reader),
        reset=document.reset,
        cooldown=None if document.cooldown in (None, "once") else seconds(document.cooldown or ""),
        once=document.cooldown == "once",
        caps=tuple(Cap(one.most, seconds(one.within)) for one in document.caps),
        quiet_hours=parsed(document.quiet_hours),
        channels=tuple(document.channels),
        template=document.template,
        assignee=document.assignee,
        priority=document.priority,
        offer=None if document.offer is None else _offer(document.offer),
        goal=None if document.goal is None else _goal(document.goal, reader),
        holdout=document.holdout.trigger if document.kind == "marketing" else 0,
        global_holdout=document.holdout.everywhere,
    )
    if reader.problems:
        raise InvalidTriggerError(reader.problems)
    return found


class _Reader:
    """Compiles what is written in CEL, and keeps what is wrong with it."""

    def __init__(
        self, source: Marked, read: Callable[[str, Mapping[str, Type]], Condition]
    ) -> None:
        self.source = source
        self.read = read
        self.problems: list[Problem] = []

    def condition(self, loc: Loc, text: str | None, known: Mapping[str, Type]) -> Condition | None:
        if text is None:
            return None
        try:
            return self.read(text, known)
        except ConditionError as error:
            place = self.source.inside(loc, error.line, error.column)
            self.problems.append(Problem(path_of(loc), *place, error.message))
            return None

    def misfit(self, one: Misfit) -> None:
        place = self.source.place(one.loc)
        self.problems.append(Problem(path_of(one.loc), *place, one.message, one.suggestion))

    def field(self, loc: Loc, name: str, known: Iterable[str], types: str) -> None:
        """A name that must be one of these."""
        if name not in known:
            place, hint = self.source.place(loc), nearest(name, known)
            self.problems.append(
                Problem(path_of(loc), *place, f"there is no {types} `{name}`", hint)
            )


def _entry(document: TriggerDocument, known: Mapping[str, Type], reader: _Reader) -> Entry:
    on = document.on
    for index, name in enumerate(on.anchor or ()):
        reader.field(("on", "anchor", index), name, (*_ANCHORS, *known), "field")
    calendar, score = on.calendar, on.score
    return Entry(
        events=events_of(document),
        key=on.key,
        anchor=tuple(on.anchor or ()),
        score=None if score is None else Score(score.score, score.above),
        calendar=None
        if calendar is None
        else Calendar(calendar.kind, time.fromisoformat(calendar.at)),
    )


def _delay(delay: str | DelayPart, known: Mapping[str, Type], reader: _Reader) -> Delay:
    if isinstance(delay, str):
        return Delay(wait=seconds(delay))
    times = [name for name, type_ in known.items() if type_ in ("timestamp", "duration")]
    reader.field(("delay", "until"), delay.until, times, "instant or duration")
    at_least = None if delay.at_least is None else seconds(delay.at_least)
    return Delay(wait=seconds(delay.wait), until=delay.until, at_least=at_least)


def _offer(offer: OfferPart) -> Offer:
    unique = offer.code == "unique"
    return Offer(
        kind=offer.kind,
        value=offer.value,
        currency=offer.currency,
        unique=unique,
        code=None if unique else offer.code,
        budget=offer.budget,
        expires=_maybe(offer.expires),
    )


def _goal(goal: GoalPart, reader: _Reader) -> Goal:
    named = goal.none_of or goal.events or ([goal.event] if goal.event is not None else [])
    events = frozenset(map(full_type, named))
    absent = goal.none_of is not None
    return Goal(
        name=f"{'no ' if absent else ''}{' or '.join(named)}",
        events=events,
        within=seconds(goal.within),
        when=reader.condition(("goal", "when"), goal.when, _only_event(schema(events))),
        key=goal.key,
        absent=absent,
    )


def _maybe(text: str | None) -> timedelta | None:
    return None if text is None else seconds(text)


def _without_event(known: Mapping[str, Type]) -> dict[str, Type]:
    """At send_at the event is over: what came of it is asked of the customer."""
    return {name: type_ for name, type_ in known.items() if not name.startswith("event.")}


def _only_event(known: Mapping[str, Type]) -> dict[str, Type]:
    """Whether a goal was reached is a question about that event, and about nothing around it."""
    return {name: type_ for name, type_ in known.items() if name.startswith("event.")}
