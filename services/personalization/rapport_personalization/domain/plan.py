"""What a back-test asks for, what it is told of the past, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from rapport_personalization.domain.decision import Decision, Past
from rapport_personalization.domain.living import Waiting
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.trigger import Trigger

Turn = tuple[datetime, tuple[datetime, int, str, str]]
"""When it is decided, and the order among all that is decided at once."""


class Logged(NamedTuple):
    """A decision that was taken, with what it was taken by."""

    past: Past
    version: str
    policies: str
    decided_at: datetime
    known_seq: int

    @property
    def turn(self) -> Turn:
        return (self.decided_at, self.past.order)


class Force(NamedTuple):
    """The version was in force all the time: what it decided then is known."""

    began: datetime
    """What arrived before was another version's."""
    since: datetime
    """Events before it start nothing."""
    shadow: bool


class Spent(NamedTuple):
    """The last decision that an offer was left for."""

    turn: Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked for: send_at in [start, end)."""

    trigger: Trigger
    start: datetime
    end: datetime
    policies: Sequence[tuple[datetime, Policies]]
    """Since when each version held; the first for all time before."""
    horizon: timedelta = timedelta(hours=36)
    """How far ahead days of the calendar are looked up."""
    force: Force | None = None
    spent: Spent | None = None

    def observed(self, instant: datetime, version: str | None = None) -> Policies:
        if len(self.policies) == 1:
            return self.policies[0][1]
        for since, policies in reversed(self.policies):
            if policies.version == version or (version is None and since <= instant):
                return policies
        return self.policies[0][1]


class Relived(NamedTuple):
    """A decision, and what else was sent to the same person within a day of it."""

    decision: Decision
    waiting: Waiting
    turn: Turn
    beside: Sequence[Past]


def is_of_sample(person: str, share: float) -> bool:
    """The same people each time; of a greater share all of a smaller one."""
    digest = sha256(f"backtest:{person}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64
