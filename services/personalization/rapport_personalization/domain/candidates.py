"""What may have to be done about a moment, or about a day of the calendar."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Final

from rapport_personalization.domain import fields
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.fold import FOLDED
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.quiet import next_allowed, parsed, zone
from rapport_personalization.domain.scene import Candidate, Scene
from rapport_personalization.domain.trigger import Delay, Trigger

_MOST_HOLDS: Final = 4
_PERSON: Final = "person"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Triggers by what starts them: a moment that none of them knows costs one look-up."""

    triggers: tuple[Trigger, ...]
    by_event: Mapping[str, tuple[Trigger, ...]]
    of_calendar: tuple[Trigger, ...]
    by_id: Mapping[str, Trigger]
    types: frozenset[str]
    """Of the events that a trigger, a gate or a goal can use; all others may be skipped."""

    def __getitem__(self, trigger: str) -> Trigger:
        return self.by_id[trigger]


def catalogue(triggers: Iterable[Trigger]) -> Catalogue:
    """In order of rank, then id."""
    ordered = tuple(sorted(triggers, key=lambda one: (one.rank, one.id)))
    by_event: dict[str, tuple[Trigger, ...]] = {}
    goals: set[str] = set()
    for trigger in ordered:
        for event in trigger.on.events:
            by_event[event] = (*by_event.get(event, ()), trigger)
        if trigger.goal is not None:
            goals |= trigger.goal.events
    return Catalogue(
        ordered,
        MappingProxyType(by_event),
        tuple(one for one in ordered if one.on.calendar is not None),
        MappingProxyType({one.id: one for one in ordered}),
        FOLDED | by_event.keys() | goals,
    )


def all_candidates(
    known: Catalogue, customer: Customer, moment: Moment, policies: Policies
) -> list[Candidate]:
    """Of every trigger that the moment starts; `customer` has been folded up to the moment.

    History changes what is known, and never starts anything.
    """
    started = known.by_event.get(moment.type)
    if started is None or moment.historical:
        return []
    found = [_candidate(trigger, customer, moment, policies) for trigger in started]
    return [one for one in found if one is not None]


def candidates(
    trigger: Trigger, customer: Customer, moment: Moment, policies: Policies
) -> Sequence[Candidate]:
    """None or one: of this trigger, whichever others there are."""
    if moment.historical or moment.type not in trigger.on.events:
        return ()
    found = _candidate(trigger, customer, moment, policies)
    return () if found is None else (found,)


def _candidate(
    trigger: Trigger, customer: Customer, moment: Moment, policies: Policies
) -> Candidate | None:
    scene = scene_of(trigger, customer, moment, policies)
    if not starts(trigger, scene):
        return None
    when = due(trigger.delay, scene, moment.at)
    if when is None:
        return None
    return Candidate(
        trigger=trigger.id,
        version=trigger.version,
        person=customer.person,
        anchor=anchor_of(trigger, scene, moment),
        thing=scene.thing,
        at=moment.at,
        due=when,
        send_at=hold(trigger, customer, when, policies),
        key=moment.key,
    )


def hold(trigger: Trigger, customer: Customer, at: datetime, policies: Policies) -> datetime:
    """`at`, or the end of the quiet hours it lies in by what is known of the customer.

    Asked again at that instant with what is known then: whoever moved, or changed their quiet
    hours meanwhile, is not woken. When it stays the same, the decision is due.
    """
    if trigger.kind == "task":
        return at
    where = zone(customer.tz, policies.tz)
    theirs = parsed(customer.quiet_hours) or policies.quiet_hours
    allowed = next_allowed(at, where, theirs)
    if trigger.quiet_hours is None:
        return allowed
    later = allowed
    # The end of the one may lie within the other.
    for _ in range(_MOST_HOLDS):
        before, later = later, next_allowed(later, where, trigger.quiet_hours)
        later = next_allowed(later, where, theirs)
        if later == before:
            return later
    # Together they leave no hour of the day: then those of the person hold.
    return allowed


def restarts(trigger: Trigger, known: Candidate, new: Candidate) -> bool:
    """Whether a newer candidate of the same anchor takes the place of a waiting one."""
    if trigger.reset:
        return known.at < new.at <= known.send_at
    # One event told later may have happened earlier: then the wait began with that.
    return new.at < known.at


def settled(trigger: Trigger, found: Iterable[Candidate]) -> Iterator[Candidate]:
    """Of all candidates of a trigger and a person, those that a decision is taken on.

    One for each anchor; for triggers that start again the last of the first unbroken wait.
    """
    waiting: dict[str, Candidate] = {}
    for one in sorted(found, key=lambda one: (one.at, one.key or b"")):
        known = waiting.get(one.anchor)
        if known is None or restarts(trigger, known, one):
            waiting[one.anchor] = one
    yield from sorted(waiting.values(), key=lambda one: (one.send_at, one.anchor))


def scene_of(trigger: Trigger, customer: Customer, moment: Moment, policies: Policies) -> Scene:
    """The moment as the trigger looks at it."""
    return Scene(customer, moment.at, policies, _thing(trigger, customer, moment), None, moment)


def starts(trigger: Trigger, scene: Scene, *, whatever: bool = False) -> bool:
    """`whatever`: without asking for its condition."""
    score = trigger.on.score
    if score is not None and not _rises(score.name, score.above, scene):
        return False
    when = None if whatever else trigger.when
    return when is None or when.holds(fields.values(when.names, scene)).is_true


def _rises(name: str, above: float, scene: Scene) -> bool:
    moment = scene.moment
    if moment is None or getattr(moment.data, "score", None) != name:
        return False
    known = scene.customer.predictions.get(name)
    return known is not None and known.value >= above > (known.before or 0.0)


def _thing(trigger: Trigger, customer: Customer, moment: Moment) -> str | None:
    """The id of what the event is about. One that has none is known by its event."""
    key = trigger.on.key
    if key is None:
        return None
    if key == "session":
        return next(reversed(customer.sessions), None)
    if key == "waiting":
        return _longest_waiting(customer)
    for name in _names(key):
        named: str | None = getattr(moment.data, name, None)
        if named is not None:
            return named
    return moment.key.hex()


@cache
def _names(key: str) -> tuple[str, ...]:
    return tuple(key.split("|"))


def _longest_waiting(customer: Customer) -> str | None:
    """The open case whose question has been without an answer for longest."""
    open_ = [
        (one.waiting, name)
        for name, one in customer.tickets.items()
        if one.is_open and one.waiting is not None
    ]
    return min(open_)[1] if open_ else None


def anchor_of(trigger: Trigger, scene: Scene, moment: Moment) -> str:
    """What is decided at most once for."""
    if not trigger.on.anchor:
        return scene.thing or moment.key.hex()
    return ":".join([_part(name, scene, moment) for name in trigger.on.anchor])


def _part(name: str, scene: Scene, moment: Moment) -> str:
    match name:
        case "person":
            return _PERSON
        case "day":
            return moment.at.date().isoformat()
        case "event":
            return moment.key.hex()
        case "thing":
            return scene.thing or moment.key.hex()
        case "revision":
            return str(getattr(moment.data, "revision", None) or 1)
        case _:
            value = fields.read(name, scene).value
            return "" if value is None else str(value)


def due(delay: Delay, scene: Scene, at: datetime) -> datetime | None:
    """None: what it waits for is unknown, or too short to be waited for."""
    if delay.until is None:
        return max(at, at + delay.wait)
    start = fields.read(delay.until, scene).value
    if isinstance(start, timedelta):
        if delay.at_least is not None and start < delay.at_least:
            return None
        start = at + start
    if not isinstance(start, datetime):
        return None
    # A promise that falls due at once is no reason to look back.
    return max(at, start + delay.wait)
