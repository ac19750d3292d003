"""A rule of the catalogue: what starts it, how long it waits, what stops it, what it asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Literal, NamedTuple, Protocol

from rapport_personalization.domain.policies import Cap, QuietHours

Kind = Literal["task", "service", "marketing"]


class Verdict(NamedTuple):
    """What a condition says. Only a plain yes is a yes; what was missing is told beside it."""

    is_true: bool
    missing: tuple[str, ...] = ()
    error: str | None = None


class Condition(Protocol):
    """A checked expression over documented fields."""

    @property
    def source(self) -> str: ...

    @property
    def names(self) -> frozenset[str]:
        """The fields that it reads; only these need a value."""
        ...

    def holds(self, values: Mapping[str, object]) -> Verdict: ...


class Score(NamedTuple):
    """Starts when a prediction rises above a line it was not above before."""

    name: str
    above: float


class Calendar(NamedTuple):
    """Starts on a day of the person's own, at a local time."""

    kind: Literal["birthday", "anniversary"]
    at: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What starts a trigger: one of these events, or a day of the calendar."""

    events: frozenset[str] = frozenset()
    """Full types: `order.placed.v1`."""
    key: str | None = None
    """The field of the event that names the thing it is about: `order`, `cart` …"""
    anchor: tuple[str, ...] = ()
    """What a decision is taken at most once for; else the thing."""
    score: Score | None = None
    calendar: Calendar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """How long to wait: from the event, or from (before: to) an instant that a field names."""

    wait: timedelta = timedelta(0)
    until: str | None = None
    """A documented field that holds an instant, or a duration from the event."""
    at_least: timedelta | None = None
    """Shorter than this: no candidate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What it is meant to bring about, in (send_at, send_at + within]."""

    name: str
    events: frozenset[str]
    within: timedelta
    when: Condition | None = None
    key: str | None = None
    """The event must name the same thing: `ticket`, `order` …"""
    absent: bool = False
    """Reached when none of the events comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What is given away with the message."""

    kind: str
    value: int
    currency: str | None = None
    unique: bool = True
    """A code of one's own for each person; else `code` for all."""
    code: str | None = None
    budget: int | None = None
    """At most so many are issued."""
    expires: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One version of a rule. It never changes: an edit is the next version."""

    id: str
    version: str = "1"
    rank: int
    kind: Kind
    on: Entry
    description: str = ""
    when: Condition | None = None
    unless: Condition | None = None
    """At send_at: then it never was a candidate, and there is nothing to decide."""
    cancel: Condition | None = None
    delay: Delay = field(default_factory=Delay)
    reset: bool = False
    """A newer event about the same thing starts the wait again."""
    cooldown: timedelta | None = None
    once: bool = False
    caps: tuple[Cap, ...] = ()
    """Of this trigger alone, beside those of the policies."""
    quiet_hours: QuietHours | None = None
    """Beside those of the person, or of the policies."""
    channels: tuple[str, ...] = ()
    """In order of preference; `agent` is a task for somebody, `same` the channel of the case."""
    template: str
    assignee: str | None = None
    priority: str | None = None
    offer: Offer | None = None
    goal: Goal | None = None
    holdout: int = 0
    """Of 10,000 people so many are left out, to see what the trigger brings."""
    global_holdout: bool = True

    @property
    def is_marketing(self) -> bool:
        return self.kind == "marketing"
