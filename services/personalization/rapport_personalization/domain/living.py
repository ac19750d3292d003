"""A person as they were known at one step after another: moments in the order of their arrival."""

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.fold import fold, folded, is_late
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.scene import Candidate


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
    """One person. A moment that comes late is put in its place by folding them anew."""

    key: str
    members: tuple[str, ...]
    moments: list[Moment] = field(default_factory=list)
    """All that is known, in their order."""
    customer: Customer = field(init=False)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    """By anchor."""
    days: tuple[object, ...] | None = None
    """What days of their own were reckoned by."""

    def __post_init__(self) -> None:
        self.customer = folded(self.key, self.moments)

    def take(self, moment: Moment) -> Customer:
        """The person as of the moment, by all that is known of them by now."""
        if not is_late(self.customer, moment):
            self.moments.append(moment)
            fold(self.customer, moment)
            return self.customer
        insort(self.moments, moment, key=_order)
        end = bisect_right(self.moments, moment.order, key=_order)
        self.customer = folded(self.key, self.moments)
        return folded(self.key, self.moments[:end])

    def at(self, instant: datetime) -> Customer:
        """As of an instant: what happened later, though known, is left out."""
        newest = self.customer.newest
        if newest is None or newest[0] <= instant:
            return self.customer
        end = bisect_right(self.moments, instant, key=_time)
        return folded(self.key, self.moments[:end])


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
