"""What a customer bought and pays for."""

from datetime import UTC, datetime
from typing import Final

from rapport_profile.domain.state import Order, Profile, Subscription
from rapport_profile.schemas.profile import MoneyView, OrdersView, OrderView, PlanView

OPEN_SHOWN: Final = 50
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def orders(profile: Profile) -> OrdersView:
    valid = [item for item in profile.orders.items() if item[1].is_valid]
    newest = sorted(valid, key=lambda item: item[1].placed_at or _NEVER, reverse=True)
    still_open = [item for item in newest if item[1].is_open]
    return OrdersView(
        count=len(valid),
        open=[order(*item) for item in still_open[:OPEN_SHOWN]],
        last=order(*newest[0]) if newest else None,
        value=_value([order for _, order in profile.orders.items()]),
    )


def plans(profile: Profile) -> list[PlanView]:
    return [plan(*item) for item in sorted(profile.subscriptions.items())]


def plan(name: str, plan: Subscription) -> PlanView:
    return PlanView(
        subscription=name,
        state=plan.state,
        plan=plan.plan,
        amount=plan.amount,
        currency=plan.currency,
        period=plan.period,
        started_at=plan.started_at,
    )


def _value(all_orders: list[Order]) -> dict[str, MoneyView]:
    """By currency. An order that was refunded in full adds to gross and to refunded alike."""
    value: dict[str, MoneyView] = {}
    for order in all_orders:
        if order.placed_at is None or order.amount is None or order.currency is None:
            continue
        money = value.setdefault(order.currency, MoneyView(orders=0, gross=0, refunded=0, net=0))
        money.orders += 1
        money.gross += order.amount
        money.refunded += order.amount - (order.net or 0)
        money.net += order.net or 0
    return dict(sorted(value.items()))


def order(name: str, order: Order) -> OrderView:
    return OrderView(
        order=name,
        placed_at=order.placed_at,
        amount=order.amount,
        refunded=order.refunded,
        net=order.net,
        currency=order.currency,
        store=order.store,
        shipped_at=order.shipped_at,
        eta=order.eta,
        delayed=order.delayed,
        delivered_at=order.delivered_at,
        cancelled_at=order.cancelled_at,
        returns=order.returns,
    )
