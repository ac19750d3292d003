"""The documented fields of what a candidate is about: `order.…`, `ticket.…`, `cart.…` and so on."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeVar

from rapport_personalization.domain import points
from rapport_personalization.domain.contracts import Payment, Promise, Subscription
from rapport_personalization.domain.customer import Cart, Session
from rapport_personalization.domain.field import NOTHING, Field, Reading, Type
from rapport_personalization.domain.moment import Mark
from rapport_personalization.domain.orders import Order
from rapport_personalization.domain.scene import Scene
from rapport_personalization.domain.tickets import Ticket

_Thing = TypeVar("_Thing")


def _field(group: str, type_: Type, about: str, read: Callable[[_Thing], object]) -> Field:
    """Of the thing of that group which the scene is about."""

    def look(scene: Scene) -> Reading:
        thing: _Thing | None = getattr(scene.customer, group).get(scene.thing)
        if thing is None:
            return NOTHING
        value = read(thing)
        return Reading(value.at, (value.key,)) if isinstance(value, Mark) else Reading(value)

    return Field(type_, about, look)


def _order(type_: Type, about: str, read: Callable[[Order], object]) -> Field:
    return _field("orders", type_, about, read)


def _ticket(type_: Type, about: str, read: Callable[[Ticket], object]) -> Field:
    return _field("tickets", type_, about, read)


def _cart(type_: Type, about: str, read: Callable[[Cart], object]) -> Field:
    return _field("carts", type_, about, read)


def _session(type_: Type, about: str, read: Callable[[Session], object]) -> Field:
    return _field("sessions", type_, about, read)


def _contract(type_: Type, about: str, read: Callable[[Subscription], object]) -> Field:
    return _field("subscriptions", type_, about, read)


def _promise(type_: Type, about: str, read: Callable[[Promise], object]) -> Field:
    return _field("promises", type_, about, read)


def _payment(type_: Type, about: str, read: Callable[[Payment], object]) -> Field:
    return _field("payments", type_, about, read)


def _reply_due(scene: Scene) -> Reading:
    ticket = scene.customer.tickets.get(scene.thing or "")
    if ticket is None or ticket.created is None:
        return NOTHING
    due = ticket.reply_due(scene.policies.first_reply)
    return NOTHING if due is None else Reading(due, (ticket.created.key,))


def _is_surveyed(scene: Scene) -> Reading:
    if scene.thing not in scene.customer.tickets:
        return NOTHING
    found = [one for one in scene.customer.answers.values() if one.ticket == scene.thing]
    return Reading(bool(found), tuple(one.given.key for one in found))


def _has_cart(scene: Scene) -> Reading:
    session, cart = scene.customer.sessions.get(scene.thing or ""), scene.customer.newest_cart
    if session is None:
        return NOTHING
    if cart is None or cart.at < session.began.at:
        return Reading(value=False)
    return Reading(value=True, keys=(cart.key,))


def _points_left(scene: Scene) -> Reading:
    candidate = scene.candidate
    key = candidate.key if candidate is not None else None
    if key is None and scene.moment is not None:
        key = scene.moment.key
    return NOTHING if key is None else Reading(points.left_of(scene.customer.points, key), (key,))


def _points_expire(scene: Scene) -> Reading:
    if scene.candidate is not None:
        return Reading(scene.candidate.at + scene.policies.points_live)
    return (
        NOTHING if scene.moment is None else Reading(scene.moment.at + scene.policies.points_live)
    )


THINGS: Final[Mapping[str, Field]] = MappingProxyType(
    {
        "order.placed_at": _order("timestamp", "When it was placed.", lambda one: one.placed),
        "order.amount": _order("int", "Minor units.", lambda one: one.amount),
        "order.net": _order("int", "What refunds in its money leave of it.", lambda one: one.net),
        "order.currency": _order("string", "ISO 4217.", lambda one: one.currency),
        "order.is_standing": _order("bool", "Counts as a purchase.", lambda one: one.is_standing),
        "order.is_refunded": _order("bool", "Some of it.", lambda one: bool(one.refunds)),
        "order.is_fully_refunded": _order("bool", "All.", lambda one: one.is_fully_refunded),
        "order.is_cancelled": _order("bool", "Called off.", lambda one: one.cancelled is not None),
        "order.shipped_at": _order("timestamp", "When it left.", lambda one: one.shipped),
        "order.delivered_at": _order("timestamp", "When it came.", lambda one: one.delivered),
        "order.is_delivered": _order("bool", "It came.", lambda one: one.delivered is not None),
        "order.eta": _order("timestamp", "When it is to come.", lambda one: one.eta),
        "cart.touched_at": _cart("timestamp", "Changed last.", lambda one: one.touched),
        "cart.value": _cart("int", "Minor units.", lambda one: one.value),
        "cart.currency": _cart("string", "ISO 4217.", lambda one: one.currency),
        "session.views": _session("int", "Products looked at.", lambda one: one.views),
        "session.began_at": _session("timestamp", "First view.", lambda one: one.began),
        "session.product": _session("string", "Looked at last.", lambda one: one.product),
        "session.has_cart": Field("bool", "Something went into a cart since it began.", _has_cart),
        "ticket.created_at": _ticket("timestamp", "When it began.", lambda one: one.created),
        "ticket.topic": _ticket("string", "What it is about.", lambda one: one.topic),
        "ticket.priority": _ticket(
            "string", "urgent, high, normal, low.", lambda one: one.priority
        ),
        "ticket.channel": _ticket("string", "Where they wrote.", lambda one: one.channel),
        "ticket.is_open": _ticket("bool", "Not resolved.", lambda one: one.is_open),
        "ticket.first_reply_at": _ticket("timestamp", "By a human.", lambda one: one.first_reply),
        "ticket.waiting_since": _ticket("timestamp", "Unanswered since.", lambda one: one.waiting),
        "ticket.reopens": _ticket("int", "How often reopened.", lambda one: one.reopens),
        "ticket.reply_due": Field("timestamp", "First reply by priority.", _reply_due),
        "ticket.is_surveyed": Field("bool", "A survey about it was answered.", _is_surveyed),
        "subscription.plan": _contract("string", "Which plan.", lambda one: one.plan),
        "subscription.is_leaving": _contract(
            "bool", "Cancellation requested, nothing since.", lambda one: one.leaving is not None
        ),
        "subscription.is_over": _contract("bool", "Over.", lambda one: one.over is not None),
        "promise.due": _promise("timestamp", "Until when.", lambda one: one.due),
        "promise.agent": _promise("string", "Who promised.", lambda one: one.agent),
        "promise.is_settled": _promise(
            "bool", "Kept or broken.", lambda one: one.settled is not None
        ),
        "payment.amount": _payment("int", "Minor units.", lambda one: one.amount),
        "payment.currency": _payment("string", "ISO 4217.", lambda one: one.currency),
        "payment.is_settled": _payment("bool", "Paid since.", lambda one: one.settled is not None),
        "points.left": Field("int", "Of those that the event brought.", _points_left),
        "points.expire_at": Field("timestamp", "When these lapse.", _points_expire),
    }
)
