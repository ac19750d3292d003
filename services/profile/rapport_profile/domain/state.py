"""What is known of one person: the state that events are folded into.

A state holds no personal data: names, texts and identifiers stay in their events, encrypted, and
a reader decrypts them from there (`Source.event` says from which).
The fold owns its state and writes into it: copying a customer's history for each event
would cost more than everything else together.
"""

from datetime import datetime
from typing import Literal

import msgspec

from rapport_profile.domain.source import Source as Source  # where everybody looks for it
from rapport_profile.domain.steps import Commitment, Note, Task
from rapport_profile.domain.suggestions import Suggestion


class Fact(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One value, and the event that set it."""

    value: str
    by: Source


EVERY_CHANNEL = "*"
"""Stands for the channel in the name of a consent that is about all of them."""


class Consent(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The newest word of the person on one channel and purpose."""

    granted: bool
    by: Source
    proof: str | None = None
    policy_version: str | None = None


class Touch(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The last contact over one channel, in either direction; a machine's message is none."""

    type: str
    by: Source
    recorded: datetime

    @property
    def order(self) -> tuple[datetime, datetime, str]:
        """Fold order; hex digits sort as the bytes of the key do."""
        return (self.by.time, self.recorded, self.by.event)


class Order(msgspec.Struct, array_like=True, gc=False):
    """An order. Amounts in minor units of `currency`."""

    placed_at: datetime | None = None
    amount: int | None = None
    currency: str | None = None
    refunds: dict[str, int | None] = {}
    """Refund id to amount, None for all of it: a refund told twice counts once."""
    store: str | None = None
    shipped_at: datetime | None = None
    eta: datetime | None = None
    delayed: bool = False
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None
    returns: dict[str, str] = {}
    """Return id to its state: `requested`, or the resolution."""
    refund_currencies: dict[str, str] = {}
    """Of the refunds that name one."""

    @property
    def refunded(self) -> int:
        """In the order's currency: what a refund in another takes off it nobody can tell."""
        whole = self.amount or 0
        return sum(
            whole if amount is None else amount
            for refund, amount in self.refunds.items()
            if self.refund_currencies.get(refund, self.currency) == self.currency
        )

    @property
    def net(self) -> int | None:
        """What remains after refunds, in minor units; None while the amount is unknown."""
        return None if self.amount is None else max(0, self.amount - self.refunded)

    @property
    def is_valid(self) -> bool:
        """Whether it counts as a purchase (kpis.md 2.14): placed, and not refunded in full.

        An order whose publisher told no amount counts too: it did happen.
        """
        return self.placed_at is not None and self.net != 0

    @property
    def is_open(self) -> bool:
        return self.cancelled_at is None and self.delivered_at is None and self.is_valid


class Ticket(msgspec.Struct, array_like=True, gc=False):
    """A request of the customer, on whatever channel."""

    created: Source | None = None
    topic: str | None = None
    about: str | None = None
    priority: str | None = None
    channel: str | None = None
    agent: str | None = None
    team: str | None = None
    state: Literal["open", "pending", "resolved"] = "open"
    waiting_for: str | None = None
    messages_in: int = 0
    messages_out: int = 0
    last_message: Source | None = None
    last_direction: str | None = None
    resolved_at: datetime | None = None
    reopened: int = 0
    escalated_to: str | None = None


class Call(msgspec.Struct, array_like=True, gc=False):
    """A telephone call. Durations in seconds."""

    offered_at: datetime | None = None
    direction: str | None = None
    topic: str | None = None
    queue: str | None = None
    agent: str | None = None
    team: str | None = None
    wait: int | None = None
    outcome: Literal["waiting", "answered", "abandoned"] = "waiting"
    legs: dict[str, int] = {}
    """Leg number to handle time (talk, hold and wrap)."""
    transferred: bool = False
    ticket: str | None = None
    ended_at: datetime | None = None

    @property
    def handle_time(self) -> int:
        return sum(self.legs.values())


class Score(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The last answer of one kind about one thing; a correction is a higher revision."""

    survey: str
    score: int | None
    revision: int
    by: Source


class Subscription(msgspec.Struct, array_like=True, gc=False):
    """A paid plan. Amount in minor units a period."""

    started_at: datetime | None = None
    plan: str | None = None
    amount: int | None = None
    currency: str | None = None
    period: str | None = None
    state: Literal["active", "cancelling", "cancelled", "ended"] = "active"


class Profile(msgspec.Struct, kw_only=True, array_like=True, gc=False):
    """One person, as their events tell it. Packed by position: only ever append a field."""

    newest: tuple[datetime, datetime, bytes] | None = None
    """Fold order of the newest event for which order matters (`fold.ORDER_FREE` lists the rest):
    such an event below it is late, and means folding anew."""
    first_seen: datetime | None = None
    """When the first event happened, whoever told of it."""
    last_seen: datetime | None = None
    """When anybody last dealt with them, or they with us (`fold.INWARD`, `fold.OUR_WORDS`)."""
    events: dict[str, int] = {}
    """Event type to the number of such events."""
    touches: dict[str, Touch] = {}
    """Channel to the last contact over it."""
    traits: dict[str, Fact] = {}
    """The traits that are no personal data: segment, account, tier."""
    preferences: dict[str, Fact] = {}
    consents: dict[str, Consent] = {}
    """`channel/purpose` to the newest word on it."""
    orders: dict[str, Order] = {}
    tickets: dict[str, Ticket] = {}
    calls: dict[str, Call] = {}
    satisfaction: dict[str, Score] = {}
    """`kind/about` to the last answer."""
    notes: dict[str, Note] = {}
    tasks: dict[str, Task] = {}
    commitments: dict[str, Commitment] = {}
    subscriptions: dict[str, Subscription] = {}
    points: int = 0
    scores: dict[str, Fact] = {}
    asked: datetime | None = None
    """When they last asked something of us, or we of them about it (`fold.ASKING`)."""
    newest_aside: tuple[datetime, datetime, bytes] | None = None
    """As `newest`, of the nouns that have an order of their own (`fold.ASIDE`)."""
    suggestions: dict[str, Suggestion] = {}
    """What an agent might do next; those that are over are known as such."""

    @property
    def purchase_times(self) -> list[datetime]:
        """When each valid order was placed, oldest first."""
        return sorted(
            order.placed_at
            for order in self.orders.values()
            if order.placed_at is not None and order.is_valid
        )


# Keys are sorted, so that equal profiles are equal bytes, whatever order events arrived in.
_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(Profile)


def pack(profile: Profile) -> bytes:
    return _encoder.encode(profile)


def unpack(packed: bytes) -> Profile:
    return _decoder.decode(packed)
