"""What a batch changes: states, totals, and the rows by which persons are counted."""

from dataclasses import dataclass, field
from functools import cache
from typing import Final, NamedTuple

import msgspec

from rapport_metrics.domain.contracts import Contract
from rapport_metrics.domain.entities import Ref, State
from rapport_metrics.domain.facts import Dims
from rapport_metrics.domain.instants import SECOND

MINUTE: Final = 60 * SECOND
_FINE: Final = ("fcr", "reopen_rate", "response_rate_", "self_service", "sla_")
"""Whether these count depends on the minute that is asked about: they look ahead, or fall due."""


class Cell(msgspec.Struct, frozen=True, gc=False):
    """Names one total. `bucket`: minutes since 1970, a full hour where minutes do not matter."""

    metric: str
    bucket: int
    dims: Dims
    bin: int


class Purchase(NamedTuple):
    """A valid order of a subject. `at` in microseconds, `net` in minor units."""

    subject: str
    at: int
    net: int
    currency: str | None


class PersonRow(msgspec.Struct, frozen=True, gc=False):
    """A subject where persons are counted: its person's smallest subject, and two instants."""

    root: str
    created: int | None
    erased: int | None


@dataclass(slots=True)
class Outcome:
    """What a batch changes; nothing in it is as it was."""

    states: dict[Ref, State] = field(default_factory=dict)
    spans: dict[Ref, tuple[int, int]] = field(default_factory=dict)
    """Of these states: the first and the last instant that they say anything about."""
    cells: dict[Cell, tuple[int, int]] = field(default_factory=dict)
    """What is added to numerator and denominator of each total."""
    causes: dict[Cell, bytes] = field(default_factory=dict)
    """The last event by which a total of a published day changed."""
    purchases: dict[str, Purchase | None] = field(default_factory=dict)
    """By order; None: it is no purchase any more."""
    contracts: dict[str, tuple[Contract, ...]] = field(default_factory=dict)
    """By subscription: all its spans as they are now."""
    activity: set[tuple[str, int]] = field(default_factory=set)
    """A subject, and the hour since 1970 in which it was active."""
    people: dict[str, PersonRow] = field(default_factory=dict)
    """By subject."""


def bucket(metric: str, at: int) -> int:
    """The minute, since 1970, under which a fact is totalled."""
    minute = at // MINUTE
    return minute if _is_fine(metric) else minute - minute % 60


@cache
def _is_fine(metric: str) -> bool:
    return metric.startswith(_FINE)
