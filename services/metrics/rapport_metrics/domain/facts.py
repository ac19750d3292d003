"""The one currency of all KPIs: an integer fact, dated in event time.

An entity (a ticket, a call, a survey, an order, a person) has a set of facts, which is a pure
function of its events. When it changes, the difference between the two sets is applied to the
totals; so late events, corrections, merges and erasures are all the same thing (kpis.md 3.1).
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

NO_BIN: Final = -1


class Dims(msgspec.Struct, array_like=True, frozen=True, cache_hash=True, gc=False):
    """What a fact can be broken down by. None: not known, left out of the breakdown."""

    channel: str | None = None
    team: str | None = None
    agent: str | None = None
    topic: str | None = None
    priority: str | None = None
    about: str | None = None
    segment: str | None = None
    currency: str | None = None
    """Of amounts only: amounts of different currencies are never added."""


NOWHERE: Final = Dims()


class Fact(msgspec.Struct, frozen=True, gc=False):
    """What one thing adds to one KPI.

    `at`: microseconds since 1970, in event time; may lie ahead (a deadline). `num` and `den`: what
    is added to the two totals. `bin`: of the histogram, for durations. `cause`: key of the event
    that the fact is dated by.
    """

    metric: str
    at: int
    dims: Dims
    num: int
    den: int
    cause: bytes
    bin: int = NO_BIN


def difference(before: Iterable[Fact], after: Iterable[Fact]) -> tuple[list[Fact], list[Fact]]:
    """The facts that went, and those that came. Two equal facts are two facts."""
    gone, new = Counter(before), Counter(after)
    return list((gone - new).elements()), list((new - gone).elements())
