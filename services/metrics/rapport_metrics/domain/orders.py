"""Orders and what remains of them (kpis.md 2.14). Amounts in minor units of their currency."""

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace
from rapport_events import wire

from rapport_metrics.domain.facts import Dims, Fact
from rapport_metrics.domain.told import By, Told


class Refund(msgspec.Struct, array_like=True, frozen=True):
    told: Told
    amount: int | None
    """None: all that is left."""
    currency: str | None = None
    """None: the order's."""


class Order(msgspec.Struct, array_like=True):
    """An order. Until it was placed it counts nowhere, and neither do its refunds."""

    placed: Told | None = None
    subject: str | None = None
    channel: str | None = None
    amount: int | None = None
    currency: str | None = None
    refunds: dict[str, Refund] = {}
    """By refund id: a refund that is told twice counts once."""

    def is_foreign(self, one: Refund) -> bool:
        """Whether it is of another currency: what that takes off the order, nobody can tell."""
        return one.currency not in {None, self.currency}

    @property
    def refunded(self) -> int:
        """What went back in the order's own currency."""
        own = [one.amount for one in self.refunds.values() if not self.is_foreign(one)]
        return sum((self.amount or 0) if amount is None else amount for amount in own)

    @property
    def net(self) -> int:
        """What remains after refunds; 0 while the order, or its amount, is unknown."""
        refunded = self.refunded if self.refunds else 0
        return max(0, (self.amount or 0) - refunded)

    @property
    def is_valid(self) -> bool:
        """Whether it counts as a purchase: something remains of it."""
        return self.placed is not None and self.net > 0


OrderEvent = wire.OrderPlaced | wire.OrderRefunded


def place(order: Order, data: wire.OrderPlaced, by: By) -> None:
    """The first that was placed under an id is the order."""
    if order.placed is None or by.told < order.placed:
        order.placed, order.subject, order.channel = by.told, by.subject, by.channel
        order.amount, order.currency = data.amount, data.currency


def refund(order: Order, data: wire.OrderRefunded, by: By) -> None:
    name = data.refund or by.key.hex()
    if name not in order.refunds or by.told < order.refunds[name].told:
        order.refunds[name] = Refund(by.told, data.amount, data.currency)


def facts(order: Order) -> Iterator[Fact]:
    """What an order counts for. A refund restates `aov` in the past, and `refunds` when it was."""
    if order.placed is None or order.amount is None:
        return
    at, key = order.placed.at, order.placed.key
    dims = Dims(channel=order.channel, currency=order.currency)
    yield Fact("revenue_gross", at, dims, order.amount, 1, key)
    if order.is_valid:
        yield Fact("aov", at, dims, order.net, 1, key)
    for one in order.refunds.values():
        yield from _refunded(order, one, dims)


def _refunded(order: Order, one: Refund, dims: Dims) -> Iterator[Fact]:
    amount = one.amount
    if order.is_foreign(one):
        dims = replace(dims, currency=one.currency)
    elif amount is None:
        amount = order.amount
    if amount is not None:
        yield Fact("refunds", one.told.at, dims, amount, 1, one.told.key)
