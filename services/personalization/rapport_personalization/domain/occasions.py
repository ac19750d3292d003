"""When there is something that an agent might do for a customer: what happened, and how long
it is worth doing something about. Each rule is a pure function of what is known of the person.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from typing import Final, NamedTuple

from rapport_personalization.domain import surveys
from rapport_personalization.domain.calendar import birthday_in
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.decision import Fact
from rapport_personalization.domain.moment import Mark
from rapport_personalization.domain.orders import median_gap
from rapport_personalization.domain.policies import DAY, Policies
from rapport_personalization.domain.quiet import local_instant, zone

_SOON: Final = DAY
_A_WEEK: Final = 7 * DAY
_A_MONTH: Final = 30 * DAY
RISKY: Final = 0.8
"""From here on somebody will probably not come back."""
_LONG_AGO: Final = 366 * DAY


class Occasion(NamedTuple):
    """Something to do in [begins, ends)."""

    anchor: str
    """What it is made for: two occasions of one rule and anchor are the same."""
    begins: datetime
    facts: tuple[Fact, ...]
    ends: datetime | None = None
    ref: str | None = None
    due: datetime | None = None
    value: int | None = None
    currency: str | None = None


class Rule(NamedTuple):
    """One kind of occasion. `rest`: once answered, it does not come again for so long."""

    id: str
    priority: int
    rest: timedelta
    find: Callable[[Customer, datetime, Policies], Iterator[Occasion]]
    sells: bool = False
    """It asks for something: never of somebody who waits for us, or did not agree."""


def _promises(customer: Customer, _: datetime, __: Policies) -> Iterator[Occasion]:
    for name, promise in customer.promises.items():
        made, due = promise.made, promise.due
        if made is None or due is None or promise.settled is not None:
            continue
        facts = (_fact("due", due, made), _fact("agent", promise.agent, made))
        begins = max(made.at, due - _SOON)
        yield Occasion(made.key.hex(), begins, facts, due + _A_MONTH, f"commitment:{name}", due)


def _waiting_buyers(customer: Customer, _: datetime, __: Policies) -> Iterator[Occasion]:
    """A question without an answer of somebody who has something in the cart."""
    order = customer.newest_order
    carts = [one for one in customer.carts.values() if order is None or order.at <= one.touched.at]
    if not carts:
        return
    cart = max(carts, key=lambda one: one.touched)
    for name, ticket in customer.tickets.items():
        if ticket.is_open and ticket.waiting is not None:
            asked = ticket.waiting
            facts = (
                _fact("waiting_since", asked.at, asked),
                _fact("cart", cart.value, cart.touched),
            )
            begins = max(asked.at, cart.touched.at)
            yield Occasion(
                asked.key.hex(), begins, facts, cart.touched.at + DAY, f"ticket:{name}",
                value=cart.value, currency=cart.currency,
            )  # fmt: skip


def _late_parcels(customer: Customer, _: datetime, __: Policies) -> Iterator[Occasion]:
    for name, order in customer.orders.items():
        sent = order.shipped or order.placed
        if sent is None or order.delivered is not None or not order.is_standing:
            continue
        told = order.delayed or sent
        facts = [_fact("eta", order.eta, told)]
        if order.delayed is not None:
            begins = order.delayed.at
            facts.append(_fact("delayed", order.delayed.at, order.delayed))
        elif order.eta is not None:
            begins = order.eta
        else:
            continue
        yield Occasion(
            sent.key.hex(), begins, tuple(facts), begins + _A_MONTH, f"order:{name}",
            value=order.net, currency=order.currency,
        )  # fmt: skip


def _detractors(customer: Customer, _: datetime, policies: Policies) -> Iterator[Occasion]:
    """Whoever gave a bad score, and no better one since."""
    for kind, highest in policies.bad_scores.highest.items():
        answer = surveys.last(customer.answers, kind)
        if answer is not None and answer.score <= highest:
            given = answer.given
            ref = None if answer.ticket is None else f"ticket:{answer.ticket}"
            facts = (_fact(kind, answer.score, given),)
            yield Occasion(given.key.hex(), given.at, facts, given.at + _A_MONTH, ref)


def _unpaid(customer: Customer, _: datetime, __: Policies) -> Iterator[Occasion]:
    for name, payment in customer.payments.items():
        if payment.settled is None:
            failed = payment.failed
            facts = (_fact("failed_at", failed.at, failed), _fact("amount", payment.amount, failed))
            yield Occasion(
                failed.key.hex(), failed.at, facts, failed.at + _A_MONTH, f"payment:{name}",
                value=payment.amount, currency=payment.currency,
            )  # fmt: skip


def _leaving(customer: Customer, _: datetime, __: Policies) -> Iterator[Occasion]:
    for name, one in customer.subscriptions.items():
        if one.leaving is not None and one.over is None:
            said = one.leaving
            facts = (_fact("cancellation_requested_at", said.at, said),)
            yield Occasion(
                said.key.hex(), said.at, facts, said.at + 2 * _A_MONTH, f"subscription:{name}",
                value=one.amount, currency=one.currency,
            )  # fmt: skip


def _lapsing_points(customer: Customer, _: datetime, policies: Policies) -> Iterator[Occasion]:
    """Those that lapse in one month together."""
    months: dict[str, list[tuple[datetime, int, bytes]]] = defaultdict(list)
    for lot in customer.points:
        lapses = lot.earned.at + policies.points_live
        if lot.left:
            months[f"{lapses:%Y-%m}"].append((lapses, lot.left, lot.earned.key))
    for month, lots in months.items():
        first, last = min(lots)[0], max(lots)[0]
        points = Fact("points", str(sum(left for _, left, _ in lots)), tuple(k for *_, k in lots))
        facts = (points, Fact("first_lapse_at", first.isoformat()))
        yield Occasion(f"{_me(customer)}:{month}", first - _A_MONTH, facts, last, due=first)


def _at_risk(customer: Customer, _: datetime, __: Policies) -> Iterator[Occasion]:
    risk, clv = customer.predictions.get("churn_risk"), customer.predictions.get("clv")
    if risk is None or risk.value < RISKY:
        return
    facts = [_fact("churn_risk", round(risk.value, 3), risk.told)]
    if clv is not None:
        facts.append(_fact("clv", round(clv.value), clv.told))
    currencies = {one.currency for one in customer.orders.values() if one.currency}
    yield Occasion(
        _me(customer),
        risk.told.at,
        tuple(facts),
        value=None if clv is None else round(clv.value),
        currency=currencies.pop() if len(currencies) == 1 else None,
    )


def _birthdays(customer: Customer, now: datetime, policies: Policies) -> Iterator[Occasion]:
    """The day itself stays unsaid: facts in the log are not encrypted."""
    if customer.birthday is None:
        return
    where = zone(customer.tz, policies.tz)
    for year in (now.year - 1, now.year, now.year + 1):
        day = birthday_in(year, customer.birthday, is_born_late=policies.is_born_late)
        begins = local_instant(day, time(), where)
        yield Occasion(f"{_me(customer)}:{year}", begins - _A_WEEK, (), begins + DAY)


def _due_again(customer: Customer, _: datetime, __: Policies) -> Iterator[Occasion]:
    """Whoever buys at intervals, and has not this time."""
    gap = median_gap(customer.bought)
    if gap is None or len(customer.bought) < 3 or gap < _A_WEEK or gap > _LONG_AGO:
        return
    last = customer.bought[-1]
    keys = tuple(mark.key for mark in customer.bought[-10:])
    facts = (Fact("median_gap_days", str(gap.days), keys), _fact("last_order_at", last.at, last))
    due = last.at + gap
    yield Occasion(last.key.hex(), due - 3 * DAY, facts, due + 2 * _A_WEEK, due=due)


def _me(customer: Customer) -> str:
    """Names the person by their first purchase: who is who may change."""
    return customer.bought[0].key.hex() if customer.bought else customer.person


def _fact(name: str, value: object, mark: Mark) -> Fact:
    text = value.isoformat() if isinstance(value, datetime) else value
    return Fact(name, None if text is None else str(text), (mark.key,))


RULES: Final = (
    Rule("answer_buyer", 900, DAY, _waiting_buyers),
    Rule("keep_promise", 850, DAY, _promises),
    Rule("parcel_late", 800, 3 * DAY, _late_parcels),
    Rule("recover_detractor", 750, _A_MONTH, _detractors),
    Rule("save_subscription", 720, _A_WEEK, _leaving),
    Rule("payment_failed", 700, 3 * DAY, _unpaid),
    Rule("keep_customer", 600, _A_MONTH, _at_risk, sells=True),
    Rule("points_expiring", 400, _A_MONTH, _lapsing_points, sells=True),
    Rule("due_again", 350, 2 * _A_WEEK, _due_again, sells=True),
    Rule("birthday", 300, 300 * DAY, _birthdays),
)
"""The most urgent first."""
