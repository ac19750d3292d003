"""Subscriptions, payments and promises of a person, as of one instant."""

from datetime import datetime

from msgspec import Struct
from rapport_events import wire

from rapport_personalization.domain.moment import Mark, Moment

SubscriptionEvent = (
    wire.SubscriptionStarted
    | wire.SubscriptionRenewed
    | wire.SubscriptionChanged
    | wire.SubscriptionCancellationRequested
    | wire.SubscriptionCancelled
    | wire.SubscriptionEnded
)
CommitmentEvent = wire.CommitmentMade | wire.CommitmentKept | wire.CommitmentBroken


class Subscription(Struct, array_like=True):
    """Something that renews itself until it ends."""

    plan: str | None = None
    amount: int | None = None
    currency: str | None = None
    since: Mark | None = None
    """Started, renewed or changed last: whoever does so means to stay."""
    leaving: Mark | None = None
    """Cancellation requested, and nothing else since."""
    over: Mark | None = None
    """Cancelled or ended."""


class Promise(Struct, array_like=True):
    """What somebody of us has told the customer they would do."""

    made: Mark | None = None
    due: datetime | None = None
    agent: str | None = None
    settled: Mark | None = None
    """Kept or broken."""


class Payment(Struct, array_like=True):
    """An order or invoice whose payment failed."""

    failed: Mark
    amount: int | None = None
    currency: str | None = None
    settled: Mark | None = None
    order: str | None = None
    """What is paid for, where an invoice names the payment."""


def take_subscription(
    subscriptions: dict[str, Subscription], data: SubscriptionEvent, moment: Moment
) -> None:
    known = subscriptions.setdefault(data.subscription, Subscription())
    match data:
        case wire.SubscriptionCancellationRequested():
            known.leaving = moment.mark
        case wire.SubscriptionCancelled() | wire.SubscriptionEnded():
            known.over = moment.mark
        case _:
            known.plan = data.plan or known.plan
            known.amount = known.amount if data.amount is None else data.amount
            known.currency = data.currency or known.currency
            known.since, known.leaving, known.over = moment.mark, None, None


def take_promise(promises: dict[str, Promise], data: CommitmentEvent, moment: Moment) -> None:
    known = promises.setdefault(data.commitment, Promise())
    if isinstance(data, wire.CommitmentMade):
        known.made, known.due, known.agent = moment.mark, data.due, data.agent
    else:
        known.settled = known.settled or moment.mark


def fail_payment(payments: dict[str, Payment], data: wire.PaymentFailed, moment: Moment) -> None:
    name = data.invoice or data.order
    if name is not None:
        known = payments.get(name)
        # Whoever tells of the next try may know less of it than who told of the first.
        order = data.order or (None if known is None else known.order)
        payments[name] = Payment(moment.mark, data.amount, data.currency, order=order)


def settle_invoice(payments: dict[str, Payment], invoice: str, moment: Moment) -> None:
    if (payment := payments.get(invoice)) is not None:
        payment.settled = payment.settled or moment.mark


def settle_order(payments: dict[str, Payment], order: str, moment: Moment) -> None:
    """Whichever invoices it has; one that names no order may go by its number."""
    for name, payment in payments.items():
        if (payment.order or name) == order:
            payment.settled = payment.settled or moment.mark
