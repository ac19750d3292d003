"""Orders, from the basket's end to the parcel's arrival, and back."""

from rapport_events import wire

from rapport_profile.domain.state import Order, Profile, Source

OrderEvent = (
    wire.OrderPlaced
    | wire.OrderCancelled
    | wire.OrderRefunded
    | wire.OrderShipped
    | wire.ShipmentDelayed
    | wire.OrderDelivered
    | wire.ReturnRequested
    | wire.ReturnCompleted
)


def evolve(profile: Profile, data: wire.Data, by: Source) -> None:
    """Writes what an order event says into the profile."""
    if isinstance(data, OrderEvent):
        # A shop that sends no order id has one order an event.
        order = profile.orders.setdefault(data.order or by.event, Order())
        _evolve_order(order, data, by)


def _evolve_order(order: Order, data: OrderEvent, by: Source) -> None:
    match data:
        case wire.OrderPlaced():
            order.placed_at = order.placed_at or by.time
            order.amount = data.amount
            order.currency = data.currency
            order.store = data.store
        case wire.OrderRefunded():
            refund = data.refund or by.event
            order.refunds[refund] = data.amount
            order.refund_currencies.pop(refund, None)
            if data.currency is not None:
                order.refund_currencies[refund] = data.currency
        case wire.OrderCancelled():
            order.cancelled_at = by.time
        case wire.ReturnRequested():
            order.returns.setdefault(data.return_ or by.event, "requested")
        case wire.ReturnCompleted():
            order.returns[data.return_ or by.event] = data.resolution or "completed"
        case _:
            _evolve_delivery(order, data, by)


def _evolve_delivery(order: Order, data: OrderEvent, by: Source) -> None:
    match data:
        case wire.OrderShipped():
            order.shipped_at = by.time
            order.eta = data.eta or order.eta
        case wire.OrderDelivered():
            order.delivered_at = by.time
        case wire.ShipmentDelayed():
            order.delayed = True
            order.eta = data.eta_after or order.eta
