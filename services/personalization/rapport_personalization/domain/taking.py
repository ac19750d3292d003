"""How each kind of event changes what is known of a person."""

from bisect import insort
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from rapport_events import wire

from rapport_personalization.domain import consents, contracts, orders, points, surveys, tickets
from rapport_personalization.domain.customer import (
    MOST_CONTACTS,
    MOST_ERRORS,
    MOST_SESSIONS,
    Cart,
    Contact,
    Customer,
    Prediction,
    Session,
)
from rapport_personalization.domain.moment import Mark, Moment

A_VISIT: Final = timedelta(minutes=30)
"""Views of products name no session: after a longer pause a new visit begins."""

_Taker = Callable[[Customer, Any, Moment], None]


def _create(customer: Customer, data: wire.CustomerCreated, moment: Moment) -> None:
    if customer.created is None:
        customer.created = moment.mark
    customer.segment = data.segment or customer.segment
    customer.tz, customer.language = data.tz or customer.tz, data.language or customer.language
    if data.email_consent is not None:
        granted = data.email_consent
        consents.say(customer.consents, "email", "marketing", moment.mark, granted=granted)


def _grant(customer: Customer, data: wire.ConsentGranted, moment: Moment) -> None:
    consents.say(customer.consents, data.channel, data.purpose, moment.mark, granted=True)


def _withdraw(customer: Customer, data: wire.ConsentWithdrawn, moment: Moment) -> None:
    consents.say(customer.consents, data.channel, data.purpose, moment.mark, granted=False)


def _unsubscribe(customer: Customer, data: wire.MessageUnsubscribed, moment: Moment) -> None:
    channel = data.channel or moment.channel
    consents.say(customer.consents, channel, "marketing", moment.mark, granted=False)


def _suppress(customer: Customer, data: wire.ContactSuppressed, moment: Moment) -> None:
    customer.suppressed = consents.Suppression(data.scope, moment.mark, data.until)


def _resume(customer: Customer, _: wire.ContactResumed, __: Moment) -> None:
    customer.suppressed = None


def _prefer(customer: Customer, data: wire.PreferenceChanged, _: Moment) -> None:
    customer.tz, customer.language = data.tz or customer.tz, data.language or customer.language
    customer.quiet_hours = data.quiet_hours or customer.quiet_hours
    customer.preferred_channel = data.preferred_channel or customer.preferred_channel


def _erase(customer: Customer, _: wire.CustomerErased, moment: Moment) -> None:
    customer.erased = customer.erased or moment.mark


def _order(customer: Customer, data: orders.OrderEvent, moment: Moment) -> None:
    name = data.order or moment.key.hex()
    order = customer.orders.get(name)
    before = order.placed if order is not None and order.is_standing else None
    order = orders.take(customer.orders, name, data, moment)
    after = order.placed if order.is_standing else None
    if before != after:
        _count(customer.bought, before, after)
    if isinstance(data, wire.OrderPlaced):
        customer.newest_order = moment.mark
        contracts.settle_order(customer.payments, name, moment)


def _count(bought: list[Mark], before: Mark | None, after: Mark | None) -> None:
    if before is not None:
        bought.remove(before)
    if after is not None:
        insort(bought, after)


def _cart(
    customer: Customer, data: wire.CartUpdated | wire.CheckoutStarted, moment: Moment
) -> None:
    name = data.cart or moment.key.hex()
    known = customer.carts.pop(name, None)
    is_checkout = isinstance(data, wire.CheckoutStarted)
    before = None if known is None else known.checkout
    checkout = moment.mark if is_checkout else before
    customer.carts[name] = Cart(moment.mark, data.value, data.currency, checkout)
    if is_checkout:
        customer.newest_checkout = moment.mark
    else:
        customer.newest_cart = moment.mark
    _keep_last(customer.carts)


def _view(customer: Customer, data: wire.ProductViewed, moment: Moment) -> None:
    name = next(reversed(customer.sessions), None)
    session = None if name is None else customer.sessions[name]
    if session is None or moment.at - session.seen.at > A_VISIT:
        session = customer.sessions[moment.key.hex()] = Session(moment.mark, moment.mark)
        _keep_last(customer.sessions)
    session.views, session.seen = session.views + 1, moment.mark
    session.product = data.product or session.product


def _keep_last(things: dict[str, Any]) -> None:
    while len(things) > MOST_SESSIONS:
        del things[next(iter(things))]


def _ticket(customer: Customer, data: tickets.TicketEvent, moment: Moment) -> None:
    is_new = isinstance(data, wire.TicketCreated) and (
        data.ticket not in customer.tickets or customer.tickets[data.ticket].created is None
    )
    tickets.take(customer.tickets, data, moment)
    if is_new and moment.channel != "phone":
        _contact(customer, data.ticket, moment)


def _call(customer: Customer, data: wire.CallOffered, moment: Moment) -> None:
    if data.direction != "out" and all(one.id != data.call for one in customer.contacts):
        _contact(customer, data.call, moment)


def _contact(customer: Customer, name: str, moment: Moment) -> None:
    customer.contacts.append(Contact(moment.mark, name))
    del customer.contacts[:-MOST_CONTACTS]


def _answer(customer: Customer, data: wire.SurveyResponded, moment: Moment) -> None:
    surveys.take(customer.answers, data, moment)


def _error(customer: Customer, _: wire.ErrorShown, moment: Moment) -> None:
    customer.errors.append(moment.mark)
    del customer.errors[:-MOST_ERRORS]


def _subscription(customer: Customer, data: contracts.SubscriptionEvent, moment: Moment) -> None:
    contracts.take_subscription(customer.subscriptions, data, moment)


def _promise(customer: Customer, data: contracts.CommitmentEvent, moment: Moment) -> None:
    contracts.take_promise(customer.promises, data, moment)


def _payment(customer: Customer, data: wire.PaymentFailed, moment: Moment) -> None:
    contracts.fail_payment(customer.payments, data, moment)


def _paid(customer: Customer, data: wire.InvoicePaid, moment: Moment) -> None:
    contracts.settle_invoice(customer.payments, data.invoice, moment)


def _earn(customer: Customer, data: wire.PointsEarned, moment: Moment) -> None:
    points.earn(customer.points, moment.mark, data.points)


def _spend(customer: Customer, data: wire.PointsRedeemed | wire.PointsExpired, _: Moment) -> None:
    points.spend(customer.points, data.points)


def _rise(customer: Customer, data: wire.TierChanged, _: Moment) -> None:
    customer.tier = data.after or customer.tier


def _predict(customer: Customer, data: wire.ScoreUpdated, moment: Moment) -> None:
    if data.value is not None:
        known = customer.predictions.get(data.score)
        before = None if known is None else known.value
        customer.predictions[data.score] = Prediction(data.value, moment.mark, before)


def _accept(customer: Customer, data: wire.SuggestionAccepted, moment: Moment) -> None:
    customer.accepted[data.suggestion] = moment.mark


def _dismiss(customer: Customer, data: wire.SuggestionDismissed, moment: Moment) -> None:
    customer.dismissed[data.suggestion] = moment.mark
    if data.trigger is not None:
        customer.dismissed[data.trigger] = moment.mark


TAKERS: Final[dict[type[wire.Data], _Taker]] = {
    wire.CustomerCreated: _create,
    wire.CustomerErased: _erase,
    wire.ConsentGranted: _grant,
    wire.ConsentWithdrawn: _withdraw,
    wire.MessageUnsubscribed: _unsubscribe,
    wire.PreferenceChanged: _prefer,
    wire.ContactSuppressed: _suppress,
    wire.ContactResumed: _resume,
    wire.OrderPlaced: _order,
    wire.OrderCancelled: _order,
    wire.OrderRefunded: _order,
    wire.OrderShipped: _order,
    wire.ShipmentDelayed: _order,
    wire.OrderDelivered: _order,
    wire.CartUpdated: _cart,
    wire.CheckoutStarted: _cart,
    wire.ProductViewed: _view,
    wire.TicketCreated: _ticket,
    wire.TicketMessage: _ticket,
    wire.TicketResolved: _ticket,
    wire.TicketReopened: _ticket,
    wire.TicketPriorityChanged: _ticket,
    wire.CallOffered: _call,
    wire.SurveyResponded: _answer,
    wire.ErrorShown: _error,
    wire.SubscriptionStarted: _subscription,
    wire.SubscriptionRenewed: _subscription,
    wire.SubscriptionChanged: _subscription,
    wire.SubscriptionCancellationRequested: _subscription,
    wire.SubscriptionCancelled: _subscription,
    wire.SubscriptionEnded: _subscription,
    wire.CommitmentMade: _promise,
    wire.CommitmentKept: _promise,
    wire.CommitmentBroken: _promise,
    wire.PaymentFailed: _payment,
    wire.InvoicePaid: _paid,
    wire.PointsEarned: _earn,
    wire.PointsRedeemed: _spend,
    wire.PointsExpired: _spend,
    wire.TierChanged: _rise,
    wire.ScoreUpdated: _predict,
    wire.SuggestionAccepted: _accept,
    wire.SuggestionDismissed: _dismiss,
}
