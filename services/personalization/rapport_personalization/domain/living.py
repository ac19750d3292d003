"""A person as they were known at one step after another: moments in the order of their arrival."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from rapport_personalization.domain.customer import Customer, packed, unpacked
from rapport_personalization.domain.fold import fold
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.scene import Candidate

_APART: Final = 64
"""Moments between two states that are kept."""


class Arrival(NamedTuple):
    """A moment, and the number under which it came to be known."""

    seq: int
    moment: Moment


class Regrouping(NamedTuple):
    """From this number on these subjects are members of these persons."""

    seq: int
    at: datetime
    persons: Mapping[str, str]


class Step(NamedTuple):
    """Something became known, not before `instant`."""

    seq: int
    instant: datetime
    moment: Moment | None
    regrouping: Regrouping | None


class Waiting(NamedTuple):
    """A candidate, whose event it came of, and when that became known."""

    candidate: Candidate
    subject: str
    seq: int
    told: datetime


@dataclass(slots=True)
class Living:
    """One person. They are folded when they are asked for, and only as far as that needs.

    A moment that comes late is put in its place; what was folded behind it is folded anew.
    """

    key: str
    members: tuple[str, ...]
    moments: list[Moment] = field(default_factory=list)
    """All that is known, in their order."""
    waiting: dict[str, Waiting] = field(default_factory=dict)
    """By anchor."""
    days: tuple[object, ...] | None = None
    """What days of their own were reckoned by."""
    _customer: Customer = field(init=False)
    _end: int = 0
    """So many moments are folded in it."""
    _kept: list[tuple[int, bytes]] = field(default_factory=list)
    """Earlier states, to begin from."""

    def __post_init__(self) -> None:
        self._customer = Customer(self.key)

    def take(self, moment: Moment) -> int:
        """How many are known up to it, itself included."""
        known = self.moments
        if not known or known[-1].order < moment.order:
            known.append(moment)
            return len(known)
        place = bisect_right(known, moment.order, key=_order)
        known.insert(place, moment)
        if place < self._end:
            self._go_back(place)
        return place + 1

    def now(self) -> Customer:
        """By all that is known. Whoever keeps it must copy it."""
        return self.after(len(self.moments))

    def at(self, instant: datetime) -> Customer:
        """As of an instant: what happened later, though known, is left out."""
        known = self.moments
        if not known or known[-1].at <= instant:
            return self.now()
        return self.after(bisect_right(known, instant, key=_time))

    def after(self, end: int) -> Customer:
        """After so many of the moments."""
        if end < self._end:
            self._go_back(end)
        for place in range(self._end, end):
            if place and place % _APART == 0 and (not self._kept or self._kept[-1][0] < place):
                self._kept.append((place, packed(self._customer)))
            fold(self._customer, self.moments[place])
        self._end = end
        return self._customer

    def _go_back(self, place: int) -> None:
        while self._kept and self._kept[-1][0] > place:
            self._kept.pop()
        if self._kept:
            self._end, kept = self._kept[-1]
            self._customer = unpacked(kept)
        else:
            self._end, self._customer = 0, Customer(self.key)


def steps(arrivals: Iterable[Arrival], regroupings: Iterable[Regrouping]) -> list[Step]:
    """In order. Nothing was known before what has a smaller number, whatever the clocks said."""
    found = [(one.seq, one.moment.recorded, one.moment, None) for one in arrivals]
    rest = [(one.seq, one.at, None, one) for one in regroupings]
    told: list[Step] = []
    newest: datetime | None = None
    for seq, instant, moment, regrouping in sorted([*found, *rest], key=lambda one: one[0]):
        newest = instant if newest is None else max(newest, instant)
        told.append(Step(seq, newest, moment, regrouping))
    return told


def apart(members: Iterable[str]) -> dict[str, Living]:
    """Everybody for themselves."""
    return {member: Living(member, (member,)) for member in members}


def together(members: Iterable[str]) -> dict[str, Living]:
    """All of them one person, as long as anybody knows."""
    ordered = tuple(sorted(members))
    return dict.fromkeys(ordered, Living(ordered[0], ordered))


def regrouped(known: Mapping[str, Living], persons: Mapping[str, str]) -> Iterator[Living]:
    """The people that a regrouping makes of those who were known, without what waits for them."""
    for key in sorted(set(persons.values())):
        members = tuple(sorted(one for one, person in persons.items() if person == key))
        yield Living(key, members, _moments(known, members))


def _moments(known: Mapping[str, Living], members: Sequence[str]) -> list[Moment]:
    before = {id(known[one]): known[one] for one in members if one in known}
    found = [one for living in before.values() for one in living.moments]
    return sorted((one for one in found if one.subject in members), key=_order)


def _order(moment: Moment) -> tuple[datetime, datetime, bytes]:
    return moment.order


def _time(moment: Moment) -> datetime:
    return moment.at
