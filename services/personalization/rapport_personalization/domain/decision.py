"""What was decided about a candidate, and why: one of each, whatever it was."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from rapport_personalization.domain.trigger import Kind

Outcome = Literal[
    "sent",
    "holdout",
    "not_met",
    "too_late",
    "erased",
    "suppressed",
    "cancelled",
    "no_consent",
    "no_channel",
    "open_case",
    "recent_bad_score",
    "cooldown",
    "frequency_cap",
    "no_budget",
]
Arm = Literal["treated", "control"]
Effect = Literal["action", "task"]

COUNTED: Final = frozenset({"sent", "holdout"})
"""Held-out people count into cooldown and caps as if sent: both arms stay comparable."""


class Gate(NamedTuple):
    """One question that was asked before acting. `events`: the keys of what set the value."""

    name: str
    passed: bool
    value: str | None = None
    events: tuple[bytes, ...] = ()
    missing: tuple[str, ...] = ()
    """Fields that a condition asked for and nobody knows."""
    error: str | None = None
    """Why a condition said neither yes nor no, though all that it asked for is known."""


class Fact(NamedTuple):
    """One reason, with the events that prove it."""

    name: str
    value: str | None
    events: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Past:
    """What later decisions must know of an earlier one."""

    trigger: str
    person: str
    """Under which id it was taken."""
    anchor: str
    send_at: datetime
    rank: int
    kind: Kind
    outcome: Outcome
    arm: Arm | None = None
    scope: str | None = None
    """`global` where that decided the arm."""
    shadow: bool = False

    @property
    def order(self) -> tuple[datetime, int, str, str]:
        return (self.send_at, self.rank, self.person, self.anchor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The whole of it. `gate` is the first that failed; `gates` are all that were asked."""

    id: str
    trigger: str
    version: str
    policies: str
    person: str
    anchor: str
    due: datetime
    send_at: datetime
    rank: int
    kind: Kind
    outcome: Outcome
    gate: str | None
    gates: tuple[Gate, ...]
    facts: tuple[Fact, ...]
    arm: Arm | None = None
    scope: str | None = None
    is_mixed: bool = False
    """Merged of people with different arms: no part of any analysis."""
    channel: str | None = None
    effect: Effect | None = None
    """None unless sent, and not in shadow."""
    template: str | None = None
    language: str | None = None
    variables: Mapping[str, object] = field(default_factory=dict)
    """What a template may say; nothing of it is personal."""
    goal: str | None = None
    within: timedelta | None = None
    shadow: bool = False

    @property
    def is_told(self) -> bool:
        """Whether it is a decision at all: what turned out to be no candidate is none."""
        return self.outcome != "not_met"

    @property
    def past(self) -> Past:
        return Past(
            trigger=self.trigger,
            person=self.person,
            anchor=self.anchor,
            send_at=self.send_at,
            rank=self.rank,
            kind=self.kind,
            outcome=self.outcome,
            arm=self.arm,
            scope=self.scope,
            shadow=self.shadow,
        )
