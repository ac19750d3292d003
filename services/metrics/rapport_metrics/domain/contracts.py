"""Subscriptions: when each was paid for, so who is a customer by contract (kpis.md 2.16)."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from rapport_events import wire

from rapport_metrics.domain.told import By, Told


class Term(msgspec.Struct, array_like=True, frozen=True):
    """What an event says of a subscription from then on. `is_paid`: None, it did not say."""

    told: Told
    is_paid: bool | None
    is_over: bool


class Subscription(msgspec.Struct, array_like=True):
    """A subscription as its events tell it. Until it was started it counts nowhere."""

    started: Told | None = None
    subject: str | None = None
    terms: list[Term] = []


class Contract(NamedTuple):
    """A span in which somebody paid; `until` is None while it lasts. Microseconds."""

    subject: str
    since: int
    until: int | None


SubscriptionEvent = (
    wire.SubscriptionStarted
    | wire.SubscriptionRenewed
    | wire.SubscriptionChanged
    | wire.SubscriptionEnded
)
"""To ask for cancellation, and to be granted it, ends nothing: the period is paid for."""


def evolve(subscription: Subscription, data: SubscriptionEvent, by: By) -> None:
    """Takes one event in; in whatever order they come, the subscription is the same."""
    is_first = subscription.started is None or by.told < subscription.started
    if isinstance(data, wire.SubscriptionStarted) and is_first:
        subscription.started, subscription.subject = by.told, by.subject
    is_over = isinstance(data, wire.SubscriptionEnded)
    is_paid = None if data.amount is None else data.amount > 0
    subscription.terms.append(Term(by.told, is_paid, is_over))


def contracts(subscription: Subscription) -> tuple[Contract, ...]:
    """The spans that are paid for, in order.

    A free trial is none. What is not told costs something: whoever charges nothing should say so.
    """
    started, subject = subscription.started, subscription.subject
    if started is None or subject is None:
        return ()
    return tuple(Contract(subject, *span) for span in _spans(subscription, started))


def _spans(subscription: Subscription, started: Told) -> Iterator[tuple[int, int | None]]:
    since: int | None = None
    was_paid = True
    for term in sorted(subscription.terms, key=lambda one: one.told):
        if term.told < started:
            continue
        was_paid = was_paid if term.is_paid is None or term.is_over else term.is_paid
        is_paid, at = was_paid and not term.is_over, term.told.at
        if is_paid and since is None:
            since = at
        elif not is_paid and since is not None:
            if at > since:
                yield since, at
            since = None
    if since is not None:
        yield since, None
