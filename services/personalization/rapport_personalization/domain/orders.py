"""Orders and what becomes of them, as of one instant."""

from datetime import datetime, timedelta
from itertools import pairwise

from msgspec import Struct
from rapport_events import wire

from rapport_personalization.domain.moment import Mark, Moment

OrderEvent = (
    wire.OrderPlaced
    | wire.OrderCancelled
    | wire.OrderRefunded
    | wire.OrderShipped
    | wire.ShipmentDelayed
    | wire.OrderDelivered
)


class Order(Struct, array_like=True):
    """One order. A refund may be known before the order it is of."""

    placed: Mark | None = None
    amount: int | None = None
    currency: str | None = None
    coupon: str | None = None
    refunds: dict[str, int | None] = {}
    """Amount by refund; None: the whole order."""
    refunded: Mark | None = None
    cancelled: Mark | None = None
    shipped: Mark | None = None
    delivered: Mark | None = None
    delayed: Mark | None = None
    eta: datetime | None = None
    refund_currencies: dict[str, str] = {}
    """Of the refunds that name one."""

    @property
    def net(self) -> int:
        """What remains after refunds; 0 while the order, or its amount, is unknown.

        What a refund in another currency takes off the order nobody can tell: nothing.
        """
        total = self.amount or 0
        back = sum(
            total if amount is None else amount
            for refund, amount in self.refunds.items()
            if self.refund_currencies.get(refund, self.currency) == self.currency
        )
        return max(0, total - back)

    @property
    def is_standing(self) -> bool:
        """Whether it counts as a purchase: placed, not cancelled, and something remains of it."""
        if self.placed is None or self.cancelled is not None:
            return False
        return bool(self.amount) if not self.refunds else self.net > 0

    @property
    def is_fully_refunded(self) -> bool:
        return self.placed is not None and bool(self.refunds) and self.net == 0


def take(orders: dict[str, Order], name: str, data: OrderEvent, moment: Moment) -> Order:
    """Writes one event of an order into it."""
    order = orders.get(name)
    if order is None:
        order = orders[name] = Order()
    mark = moment.mark
    match data:
        case wire.OrderPlaced():
            _place(order, data, mark)
        case wire.OrderRefunded():
            _refund(order, data, data.refund or moment.key.hex())
            order.refunded = mark
        case wire.OrderCancelled():
            order.cancelled = order.cancelled or mark
        case _:
            _travel(order, data, mark)
    return order


def _place(order: Order, data: wire.OrderPlaced, mark: Mark) -> None:
    """The first that was placed under an id is the order."""
    if order.placed is None:
        order.placed, order.amount = mark, data.amount
        order.currency, order.coupon = data.currency, data.coupon


def _refund(order: Order, data: wire.OrderRefunded, name: str) -> None:
    """The first that is told under an id is the refund."""
    if name not in order.refunds:
        order.refunds[name] = data.amount
        if data.currency is not None:
            order.refund_currencies[name] = data.currency


def _travel(
    order: Order, data: wire.OrderShipped | wire.ShipmentDelayed | wire.OrderDelivered, mark: Mark
) -> None:
    match data:
        case wire.OrderShipped():
            order.shipped, order.eta = order.shipped or mark, data.eta or order.eta
        case wire.ShipmentDelayed():
            order.delayed, order.eta = mark, data.eta_after or order.eta
        case wire.OrderDelivered():
            order.delivered = order.delivered or mark


def median_gap(bought: list[Mark]) -> timedelta | None:
    """Between purchases; of an even number of gaps the smaller of the middle two."""
    if len(bought) < 2:
        return None
    gaps = sorted(after.at - before.at for before, after in pairwise(bought))
    return gaps[(len(gaps) + 1) // 2 - 1]
