"""What is known of a person, moment by moment.

A fold is safe to repeat from the beginning and from nowhere else: moments are taken in their
order, once each. What arrives out of order is put in its place by folding the person anew.
"""

from collections.abc import Iterable
from typing import Final

from rapport_events import wire

from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.moment import Mark, Moment, Personal
from rapport_personalization.domain.taking import TAKERS

FOLDED: Final = frozenset(type_ for type_, data in wire.BY_TYPE.items() if data in TAKERS) | {
    "customer.identified.v1"
}
"""Types of the events that change what is known of a person."""


def fold(customer: Customer, moment: Moment) -> None:
    """Takes the moment in. It must not be older than what was folded last: see `is_late`."""
    customer.newest = moment.order
    personal = moment.personal
    if personal.birthday is not None or not personal.reaches <= customer.reaches.keys():
        _learn(customer, personal, moment.mark)
    taker = TAKERS.get(type(moment.data))
    if taker is not None:
        taker(customer, moment.data, moment)


def is_late(customer: Customer, moment: Moment) -> bool:
    """Whether the person has to be folded anew to put it in its place."""
    return customer.newest is not None and moment.order < customer.newest


def folded(person: str, moments: Iterable[Moment]) -> Customer:
    """The person from the beginning; moments in any order, repeats without effect."""
    customer = Customer(person)
    for moment in in_order(moments):
        fold(customer, moment)
    return customer


def in_order(moments: Iterable[Moment]) -> list[Moment]:
    """Each event once, as they are folded. Of one event under two times the first counts."""
    once: dict[bytes, Moment] = {}
    for moment in moments:
        known = once.get(moment.key)
        if known is None or moment.order < known.order:
            once[moment.key] = moment
    return sorted(once.values(), key=lambda moment: moment.order)


def _learn(customer: Customer, personal: Personal, mark: Mark) -> None:
    customer.birthday = personal.birthday or customer.birthday
    for channel in personal.reaches:
        customer.reaches.setdefault(channel, mark)
