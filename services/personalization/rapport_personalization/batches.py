"""A batch of one person's moments, purely: the state after it, and what it makes us consider.

Moments are taken in the order of their arrival, each beside all that had arrived before it: what
comes of a batch does not depend on where batches begin. One that happened before what is known
already is put in its place, for which the person's whole history is needed.
"""

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from rapport_personalization.domain.candidates import Catalogue, all_candidates
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.fold import fold, folded, is_late
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.scene import Candidate


class Found(NamedTuple):
    """A candidate, and whose event it came of."""

    candidate: Candidate
    subject: str


@dataclass(slots=True)
class Person:
    """Somebody whom a batch is about."""

    key: str
    members: tuple[str, ...]
    customer: Customer | None
    """None: to be folded from the history."""
    arrived: list[Moment] = field(default_factory=list)
    history: list[Moment] | None = None
    seq: int = 0
    found: list[Found] = field(default_factory=list)
    calendar_before: tuple[object, ...] | None = None
    is_regrouped: bool = False
    """Merged or parted by this batch: nobody was them before it."""

    @property
    def needs_history(self) -> bool:
        """Whether the state alone does not do."""
        if self.history is not None:
            return False
        customer = self.customer
        if customer is None:
            return True
        newest = customer.newest
        for moment in self.arrived:
            if newest is not None and moment.order < newest:
                return True
            newest = moment.order
        return False


def take(person: Person, known: Catalogue, policies: Policies) -> None:
    """Folds what arrived, and notes what it makes us consider."""
    if person.customer is None:
        person.customer = folded(person.key, person.history or ())
    if not person.is_regrouped:
        person.calendar_before = calendar_key(person.customer)
    past = None if person.history is None else sorted(person.history, key=_order)
    for moment in person.arrived:
        customer = person.customer
        if is_late(customer, moment):
            assert past is not None  # noqa: S101 - see `needs_history`
            insort(past, moment, key=_order)
            then = folded(person.key, _until(past, moment))
            person.customer = folded(person.key, past)
        else:
            if past is not None:
                past.append(moment)
            fold(customer, moment)
            then = customer
        _consider(person, known, then, moment, policies)


def calendar_key(customer: Customer) -> tuple[object, ...]:
    """What days of a person's own are reckoned by; when it changes, they are looked up again."""
    first = customer.bought[0] if customer.bought else None
    return (customer.birthday, customer.tz, customer.quiet_hours, first)


def _consider(
    person: Person, known: Catalogue, customer: Customer, moment: Moment, policies: Policies
) -> None:
    for one in all_candidates(known, customer, moment, policies):
        person.found.append(Found(one, moment.subject))


def _until(past: Sequence[Moment], moment: Moment) -> Iterable[Moment]:
    return [one for one in past if one.order <= moment.order]


def _order(moment: Moment) -> tuple[datetime, datetime, bytes]:
    return moment.order
