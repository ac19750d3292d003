"""The documented fields of the person: `customer.…`."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from rapport_personalization.domain import consents, orders, points, surveys
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.field import NOTHING, Field, Reading, Type
from rapport_personalization.domain.lifecycle import stage
from rapport_personalization.domain.moment import Mark
from rapport_personalization.domain.scene import Scene

_WEEK: Final = timedelta(days=7)
_HOUR: Final = timedelta(hours=1)


def _plain(type_: Type, about: str, read: Callable[[Customer], object]) -> Field:
    return Field(type_, about, lambda scene: Reading(read(scene.customer)))


def _since(about: str, read: Callable[[Customer], Mark | None]) -> Field:
    def when(scene: Scene) -> Reading:
        mark = read(scene.customer)
        return NOTHING if mark is None else Reading(mark.at, (mark.key,))

    return Field("timestamp", about, when)


def _predicted(name: str, about: str) -> Field:
    def read(scene: Scene) -> Reading:
        known = scene.customer.predictions.get(name)
        return NOTHING if known is None else Reading(known.value, (known.told.key,))

    return Field("double", about, read)


def _answered(kind: str) -> Field:
    def read(scene: Scene) -> Reading:
        known = surveys.last(scene.customer.answers, kind)
        return NOTHING if known is None else Reading(known.score, (known.given.key,))

    return Field("int", f"The last {kind} score they gave.", read)


def _order_count(scene: Scene) -> Reading:
    bought = scene.customer.bought
    return Reading(len(bought), tuple(mark.key for mark in bought))


def _first_order(scene: Scene) -> Reading:
    bought = scene.customer.bought
    return Reading(bought[0].at, (bought[0].key,)) if bought else NOTHING


def _count_of_orders(scene: Scene) -> int:
    return len(scene.customer.bought)


def _median_gap(scene: Scene) -> Reading:
    bought = scene.customer.bought
    return Reading(orders.median_gap(bought), tuple(mark.key for mark in bought))


def _stage(scene: Scene) -> Reading:
    bought = scene.customer.bought
    keys = (bought[-1].key,) if bought else ()
    return Reading(stage([mark.at for mark in bought], scene.now), keys)


def _recent(marks: list[Mark], now: datetime, window: timedelta) -> Reading:
    keys = tuple(mark.key for mark in marks if now - window < mark.at <= now)
    return Reading(len(keys), keys)


def _contacts(scene: Scene) -> Reading:
    sought = [one.sought for one in scene.customer.contacts]
    return _recent(sought, scene.now, _WEEK)


def _errors(scene: Scene) -> Reading:
    return _recent(scene.customer.errors, scene.now, _HOUR)


def _open_tickets(scene: Scene) -> Reading:
    marks = [one.created for one in scene.customer.tickets.values() if one.is_open]
    return Reading(len(marks), tuple(mark.key for mark in marks if mark is not None))


def _waiting(customer: Customer) -> Mark | None:
    waiting = [one.waiting for one in customer.tickets.values() if one.is_open]
    return min((mark for mark in waiting if mark is not None), default=None)


def _is_checking_out(scene: Scene) -> Reading:
    checkout, order = scene.customer.newest_checkout, scene.customer.newest_order
    if checkout is None or scene.now - checkout.at > _HOUR:
        return Reading(value=False)
    return Reading(order is None or order < checkout, (checkout.key,))


def _churn_before(customer: Customer) -> float:
    known = customer.predictions.get("churn_risk")
    return 0.0 if known is None or known.before is None else known.before


def _allows_profiling(scene: Scene) -> Reading:
    known = scene.customer.consents
    said = consents.newest(known, consents.EVERY, consents.PROFILING)
    keys = () if said is None else (said.said.key,)
    return Reading(consents.allows_profiling(known), keys)


def _seconds(mark: Mark | None) -> int | None:
    return None if mark is None else int(mark.at.timestamp())


def _orders(customer: Customer) -> list[dict[str, object]]:
    return [
        {
            "id": name,
            "placed_at": _seconds(one.placed),
            "delivered_at": _seconds(one.delivered),
            "amount": one.amount,
            "net": one.net,
            "is_standing": one.is_standing,
        }
        for name, one in customer.orders.items()
        if one.placed is not None
    ]


CUSTOMER: Final[Mapping[str, Field]] = MappingProxyType(
    {
        "segment": _plain("string", "As the publisher calls it.", lambda one: one.segment),
        "language": _plain("string", "BCP 47 tag.", lambda one: one.language),
        "tz": _plain("string", "IANA zone.", lambda one: one.tz),
        "tier": _plain("string", "Of the loyalty programme.", lambda one: one.tier),
        "created_at": _since("When they signed up.", lambda one: one.created),
        "orders": _plain("maps", "id, placed_at, delivered_at, amount, net, is_standing.", _orders),
        "order_count": Field(
            "int", "Purchases that count, at this instant.", _order_count, _count_of_orders
        ),
        "first_order_at": Field("timestamp", "Of those that count.", _first_order),
        "newest_order_at": _since("Any order, refunded or not.", lambda one: one.newest_order),
        "newest_cart_at": _since("The last change of any cart.", lambda one: one.newest_cart),
        "newest_checkout_at": _since("The last checkout.", lambda one: one.newest_checkout),
        "is_checking_out": Field("bool", "Checkout in the last hour, no order.", _is_checking_out),
        "median_gap": Field("duration", "Between purchases, nearest rank.", _median_gap),
        "stage": Field("string", "prospect, new, active, loyal, at_risk …", _stage),
        "contacts_7d": Field("int", "Times they sought help in 7 days.", _contacts),
        "last_contact_at": _since(
            "When they sought help last.",
            lambda one: one.contacts[-1].sought if one.contacts else None,
        ),
        "open_tickets": Field("int", "Cases that are open.", _open_tickets),
        "waiting_since": _since("Of the oldest question without an answer.", _waiting),
        "errors_1h": Field("int", "Errors shown to them in an hour.", _errors),
        "last_nps": _answered("nps"),
        "last_csat": _answered("csat"),
        "last_ces": _answered("ces"),
        "churn_risk": _predicted("churn_risk", "0 to 1, in the next 90 days."),
        "churn_risk_before": _plain("double", "Before the last scoring; 0: none.", _churn_before),
        "clv": _predicted("clv", "Of the next 12 months, in minor units."),
        "points": _plain("int", "Loyalty points left.", lambda one: points.balance(one.points)),
        "allows_profiling": Field("bool", "They have not refused profiling.", _allows_profiling),
        "subscriptions": _plain(
            "int",
            "Subscriptions that run.",
            lambda one: sum(known.over is None for known in one.subscriptions.values()),
        ),
    }
)
