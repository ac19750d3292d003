"""Mistakes that people make with running totals, planted so that the properties must see them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import pytest
from rapport_events import wire
from rapport_metrics.domain import (
    contacts,
    contracts,
    evolve,
    orders,
    own,
    ownership,
    surveys,
    tickets,
)
from rapport_metrics.domain.causes import Whose
from rapport_metrics.domain.contacts import Contact
from rapport_metrics.domain.contracts import Subscription, SubscriptionEvent
from rapport_metrics.domain.entities import Merge, Ref
from rapport_metrics.domain.facts import Fact
from rapport_metrics.domain.happening import Happening
from rapport_metrics.domain.orders import Order, Refund
from rapport_metrics.domain.surveys import Answer, Survey
from rapport_metrics.domain.tickets import Change, Ticket
from rapport_metrics.domain.told import By
from rapport_metrics.domain.totals import Totals
from rapport_metrics.domain.working import Working


def _leave_the_contact_with_its_old_owner(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(ownership, "_let_go", lambda *_: None)


def _count_a_refund_twice(plant: pytest.MonkeyPatch) -> None:
    def careless(order: Order, data: wire.OrderRefunded, by: By) -> None:
        order.refunds[by.key.hex()] = Refund(by.told, data.amount, data.currency)

    plant.setattr(orders, "refund", careless)


def _take_every_currency_for_that_of_the_order(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(Order, "is_foreign", lambda *_: False)


def _let_the_last_order_win(plant: pytest.MonkeyPatch) -> None:
    def careless(order: Order, data: wire.OrderPlaced, by: By) -> None:
        order.placed, order.subject, order.channel = by.told, by.subject, by.channel
        order.amount, order.currency = data.amount, data.currency

    plant.setattr(orders, "place", careless)


def _hold_on_to_what_was_unmerged(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(Merge, "holds", property(lambda merge: merge.a is not None))


def _tell_only_the_survivor_of_a_merge(plant: pytest.MonkeyPatch) -> None:
    def careless(
        working: Working, happening: Happening, ref: Ref | None, changed: set[Ref]
    ) -> None:
        evolve._merge(working, happening, ref, changed)
        name, data = happening.by.key.hex(), happening.data
        assert isinstance(data, wire.CustomerMerged)
        if data.from_subject is not None and Ref("merge", name) in changed:
            merges = working.subject(data.from_subject).merges
            merges[:] = [one for one in merges if one != name]

    plant.setitem(evolve._TAKING, wire.CustomerMerged, careless)


def _take_the_newest_answer_not_the_last_revision(plant: pytest.MonkeyPatch) -> None:
    def careless(survey: Survey, data: wire.SurveyResponded, by: By) -> None:
        survey.answers = [Answer(data.revision or 1, by.told, data.score)]

    plant.setattr(surveys, "respond", careless)


def _reopen_before_resolving(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(Change, "order", property(lambda one: (one.at, -one.what, one.key)))


def _sort_no_changes(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(Change, "order", property(lambda _: 0))


def _count_from_before_it_was_created(plant: pytest.MonkeyPatch) -> None:
    def careless(ticket: Ticket) -> tickets.Reply | None:
        return min(ticket.replies, key=lambda one: one.told, default=None)

    plant.setattr("rapport_metrics.domain.service.first_reply", careless)


def _chain_contacts_of_everybody_unknown(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(own, "_alone", lambda *_: iter(()))


def _shut_the_repeat_window_too_early(plant: pytest.MonkeyPatch) -> None:
    def careless(chain: Sequence[Contact], window: int) -> Iterator[Fact]:
        return contacts.chain_facts(chain, window - 1)

    plant.setattr(own, "chain_facts", careless)


def _forget_that_calls_hang_on_tickets(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(evolve, "_name_ticket", lambda *_: None)


def _only_add(plant: pytest.MonkeyPatch) -> None:
    count = Totals._count

    def careless(totals: Totals, facts: Sequence[Fact], sign: int, whose: Whose) -> None:
        if sign > 0:
            count(totals, facts, sign, whose)

    plant.setattr(Totals, "_count", careless)


def _stamp_no_late_segment(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(ownership, "stamp", lambda *_: None)


def _end_what_was_not_started(plant: pytest.MonkeyPatch) -> None:
    def careless(subscription: Subscription, data: SubscriptionEvent, by: By) -> None:
        if isinstance(data, wire.SubscriptionEnded) and subscription.started is None:
            return
        evolve_subscription(subscription, data, by)

    evolve_subscription = contracts.evolve
    plant.setattr(contracts, "evolve", careless)


def _date_the_net_amount_by_the_refund(plant: pytest.MonkeyPatch) -> None:
    def careless(order: Order) -> Iterator[Fact]:
        for one in orders_facts(order):
            if one.metric == "aov" and order.refunds:
                last = max(one.told for one in order.refunds.values())
                yield Fact("aov", last.at, one.dims, one.num, one.den, last.key)
            else:
                yield one

    orders_facts = orders.facts
    plant.setattr(orders, "facts", careless)


BUGS: Final[Mapping[str, Callable[[pytest.MonkeyPatch], None]]] = {
    bug.__name__.strip("_"): bug
    for bug in (
        _leave_the_contact_with_its_old_owner,
        _count_a_refund_twice,
        _take_every_currency_for_that_of_the_order,
        _let_the_last_order_win,
        _hold_on_to_what_was_unmerged,
        _tell_only_the_survivor_of_a_merge,
        _take_the_newest_answer_not_the_last_revision,
        _reopen_before_resolving,
        _sort_no_changes,
        _count_from_before_it_was_created,
        _chain_contacts_of_everybody_unknown,
        _shut_the_repeat_window_too_early,
        _forget_that_calls_hang_on_tickets,
        _only_add,
        _stamp_no_late_segment,
        _end_what_was_not_started,
        _date_the_net_amount_by_the_refund,
    )
}
