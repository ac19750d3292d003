"""What is known of one person at one instant: everything that a trigger or a gate may ask."""

import json
from datetime import datetime
from hashlib import blake2b
from typing import Final

import msgspec
from msgspec import Struct

from rapport_personalization.domain.consents import Consent, Suppression
from rapport_personalization.domain.contracts import Payment, Promise, Subscription
from rapport_personalization.domain.moment import Mark
from rapport_personalization.domain.orders import Order
from rapport_personalization.domain.points import Lot
from rapport_personalization.domain.surveys import Answer
from rapport_personalization.domain.tickets import Ticket

MOST_CONTACTS: Final = 100
MOST_SESSIONS: Final = 20
MOST_ERRORS: Final = 20
"""Of what only the recent past is asked for, no more than this is kept."""


class Session(Struct, array_like=True):
    """Products looked at in one visit."""

    began: Mark
    seen: Mark
    views: int = 0
    product: str | None = None


class Prediction(Struct, array_like=True):
    """A score, and what it was before."""

    value: float
    told: Mark
    before: float | None = None


class Cart(Struct, array_like=True):
    """What somebody is about to buy."""

    touched: Mark
    value: int | None = None
    currency: str | None = None
    checkout: Mark | None = None


class Contact(Struct, array_like=True):
    """They sought help: a ticket, or a call of theirs."""

    sought: Mark
    id: str


class Customer(Struct, array_like=True):
    """The fold of a person's moments in the order of time. `copy` before you look ahead."""

    person: str
    """The smallest subject id of the person."""
    newest: tuple[datetime, datetime, bytes] | None = None
    """Order of the moment folded last: what comes before it cannot be added, only folded anew."""
    created: Mark | None = None
    segment: str | None = None
    tz: str | None = None
    language: str | None = None
    tier: str | None = None
    birthday: tuple[int, int] | None = None
    quiet_hours: str | None = None
    preferred_channel: str | None = None
    erased: Mark | None = None
    reaches: dict[str, Mark] = {}
    consents: dict[str, Consent] = {}
    suppressed: Suppression | None = None
    orders: dict[str, Order] = {}
    bought: list[Mark] = []
    """When each purchase that counts was made, in order."""
    carts: dict[str, Cart] = {}
    newest_cart: Mark | None = None
    newest_order: Mark | None = None
    newest_checkout: Mark | None = None
    sessions: dict[str, Session] = {}
    tickets: dict[str, Ticket] = {}
    contacts: list[Contact] = []
    answers: dict[str, Answer] = {}
    errors: list[Mark] = []
    subscriptions: dict[str, Subscription] = {}
    promises: dict[str, Promise] = {}
    payments: dict[str, Payment] = {}
    points: list[Lot] = []
    predictions: dict[str, Prediction] = {}
    dismissed: dict[str, Mark] = {}
    """Suggestions that an agent decided against, by their id and by their rule."""
    accepted: dict[str, Mark] = {}
    """Those that an agent followed, by their id."""

    def copy(self) -> "Customer":
        """One that can be folded on without changing this one."""
        return _DECODER.decode(_ENCODER.encode(self))


FOLD: Final = 1
"""To be raised when moments are folded otherwise than before: what was kept is then folded anew."""

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Customer)


def _layout() -> bytes:
    """Of the fields by their places: one more or less would be read without a complaint."""
    schema = json.dumps(msgspec.json.schema(Customer), sort_keys=True)
    return blake2b(f"{FOLD} {schema}".encode(), digest_size=8).digest()


_LAYOUT: Final = _layout()


def packed(customer: Customer) -> bytes:
    """As bytes, to be kept. They are a cache: another version of this class cannot read them."""
    return _LAYOUT + _ENCODER.encode(customer)


def unpacked(kept: bytes) -> Customer:
    """Raises msgspec.DecodeError for what another version kept."""
    if not kept.startswith(_LAYOUT):
        raise msgspec.DecodeError("another version kept it")
    return _DECODER.decode(memoryview(kept)[len(_LAYOUT) :])
