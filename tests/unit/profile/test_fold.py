"""The profile fold, told as given events, then profile."""

import random
from typing import Any

from hypothesis import given as for_any
from hypothesis import strategies as st
from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from rapport_profile.domain.claims import collect
from rapport_profile.domain.fold import fold
from rapport_profile.domain.identity import Edge, Limits, partition
from rapport_profile.domain.people import People, Row, carry_on, refold
from rapport_profile.domain.state import Profile, pack, unpack

from tests.support.events import NOON, days, happened, new_subject

ADA = new_subject()


def given(*records: Record) -> Profile:
    ordered = sorted(records, key=lambda record: record.order)
    return fold(Profile(), [(record, decode_data(record.envelope)) for record in ordered])


def test_a_ticket_is_open_until_it_is_resolved() -> None:
    profile = given(
        happened("ticket.created", ADA, ticket="billing", topic="invoice"),
        happened("ticket.created", ADA, ticket="delivery"),
        happened("ticket.resolved", ADA, NOON + days(1), ticket="billing", agent="ana"),
    )

    states = {name: ticket.state for name, ticket in profile.tickets.items()}
    assert states == {"billing": "resolved", "delivery": "open"}


def test_a_reopened_ticket_is_open_again_and_counts_the_reopening() -> None:
    profile = given(
        happened("ticket.created", ADA, ticket="t"),
        happened("ticket.resolved", ADA, NOON + days(1), ticket="t"),
        happened("ticket.reopened", ADA, NOON + days(2), ticket="t"),
    )

    assert (profile.tickets["t"].state, profile.tickets["t"].reopened) == ("open", 1)


def test_a_customers_answer_ends_the_waiting() -> None:
    profile = given(
        happened("ticket.created", ADA, ticket="t"),
        happened("ticket.pending", ADA, NOON + days(1), ticket="t", waiting_for="customer"),
        happened("ticket.message", ADA, NOON + days(2), ticket="t", direction="in"),
    )

    assert profile.tickets["t"].state == "open"


def test_a_refund_told_twice_counts_once() -> None:
    profile = given(
        happened("order.placed", ADA, order="o", amount=1000, currency="EUR"),
        happened("order.refunded", ADA, NOON + days(1), order="o", refund="r", amount=400),
        happened("order.refunded", ADA, NOON + days(2), order="o", refund="r", amount=400),
    )

    assert profile.orders["o"].net == 600


def test_an_order_refunded_in_full_is_no_purchase() -> None:
    profile = given(
        happened("order.placed", ADA, order="o", amount=1000, currency="EUR"),
        happened("order.refunded", ADA, NOON + days(1), order="o", refund="r", amount=1000),
    )

    assert profile.purchase_times == []


def test_a_refund_of_an_order_not_yet_heard_of_is_no_purchase() -> None:
    profile = given(happened("order.refunded", ADA, order="o", refund="r", amount=1000))

    assert profile.purchase_times == []


def test_an_order_without_an_id_is_an_order_of_its_own() -> None:
    profile = given(
        happened("order.placed", ADA, amount=1000, currency="EUR"),
        happened("order.placed", ADA, NOON + days(1), amount=2000, currency="EUR"),
    )

    assert sorted(order.amount or 0 for order in profile.orders.values()) == [1000, 2000]


def test_the_newest_word_on_consent_wins() -> None:
    where: dict[str, Any] = {"channel": "email", "purpose": "marketing"}
    profile = given(
        happened("consent.granted", ADA, NOON, fields=where),
        happened("consent.withdrawn", ADA, NOON + days(1), fields=where),
    )

    assert profile.consents["email/marketing"].granted is False


def test_who_unsubscribes_has_withdrawn_their_consent() -> None:
    profile = given(
        happened("customer.created", ADA, email_consent=True),
        happened("message.unsubscribed", ADA, NOON + days(1), channel="email", message="m"),
    )

    assert profile.consents["email/marketing"].granted is False


def test_a_leg_reported_again_replaces_itself() -> None:
    profile = given(
        happened("call.offered", ADA, call="c", topic="defect"),
        happened("call.answered", ADA, NOON + days(0.1), call="c", agent="ana", wait=16),
        happened("call.leg_ended", ADA, NOON + days(0.2), call="c", leg=1, talk=100, wrap=5),
        happened("call.leg_ended", ADA, NOON + days(0.3), call="c", leg=1, talk=200, hold=10),
    )

    call = profile.calls["c"]
    assert (call.handle_time, call.outcome, call.wait) == (210, "answered", 16)


def test_a_corrected_answer_replaces_the_first() -> None:
    answer: dict[str, Any] = {"survey": "s", "kind": "csat", "about": "service"}
    profile = given(
        happened("survey.responded", ADA, NOON, score=1, revision=1, **answer),
        happened("survey.responded", ADA, NOON + days(1), score=5, revision=2, **answer),
    )

    assert profile.satisfaction["csat/service"].score == 5


def test_a_first_revision_told_late_does_not_undo_the_correction() -> None:
    answer: dict[str, Any] = {"survey": "s", "kind": "csat", "about": "service"}
    profile = given(
        happened("survey.responded", ADA, NOON, score=5, revision=2, **answer),
        happened("survey.responded", ADA, NOON + days(1), score=1, revision=1, **answer),
    )

    assert profile.satisfaction["csat/service"].score == 5


def test_each_channel_remembers_its_last_contact() -> None:
    profile = given(
        happened("page.viewed", ADA, NOON, channel="web", page="home"),
        happened("ticket.created", ADA, NOON + days(1), channel="email", ticket="t"),
        happened("page.viewed", ADA, NOON + days(2), channel="web", page="faq"),
    )

    last = {channel: touch.by.time for channel, touch in profile.touches.items()}
    assert last == {"web": NOON + days(2), "email": NOON + days(1)}


def test_unknown_things_move_the_last_contact_and_nothing_else() -> None:
    profile = given(happened("custom.wheel_spun", ADA, channel="app"))

    assert profile.touches["app"].type == "custom.wheel_spun.v1"
    assert profile.events == {"custom.wheel_spun.v1": 1}


def test_a_packed_profile_unpacks_to_itself() -> None:
    profile = given(
        happened("order.placed", ADA, order="o", amount=1000, currency="EUR", channel="web"),
        happened("ticket.created", ADA, ticket="t", topic="delivery"),
        happened("commitment.made", ADA, commitment="c", what="call back", due=NOON + days(1)),
    )

    assert unpack(pack(profile)) == profile


def test_equal_profiles_are_equal_bytes_whatever_order_their_events_came_in() -> None:
    viewed = happened("page.viewed", ADA, NOON, channel="web", page="home")
    asked = happened("ticket.created", ADA, NOON + days(1), channel="email", ticket="t")
    one, other = (
        fold(Profile(), [(record, decode_data(record.envelope)) for record in arrivals])
        for arrivals in ([viewed, asked], [asked, viewed])
    )

    assert pack(one) == pack(other)


def _history() -> list[Record]:
    ada, anonymous = new_subject(), new_subject()
    where: dict[str, Any] = {"channel": "email", "purpose": "marketing"}
    return [
        happened("page.viewed", anonymous, NOON - days(1), channel="web", page="home"),
        happened("customer.created", ada, NOON, linked=anonymous, segment="vip"),
        happened("order.placed", ada, NOON + days(1), order="o", amount=900, currency="EUR"),
        happened("order.refunded", ada, NOON + days(2), order="o", refund="r", amount=900),
        happened("ticket.created", ada, NOON + days(1), ticket="t", channel="email"),
        happened("ticket.resolved", ada, NOON + days(3), ticket="t", agent="ana"),
        happened("ticket.reopened", ada, NOON + days(4), ticket="t"),
        happened("consent.granted", anonymous, NOON + days(1), fields=where),
        happened("consent.withdrawn", ada, NOON + days(2), fields=where),
    ]


@for_any(st.randoms(use_true_random=False), st.integers(1, 9))
def test_the_order_of_arrival_and_the_size_of_batches_change_nothing(
    chance: random.Random, size: int
) -> None:
    history = _history()
    arrivals = chance.sample(history, len(history))
    rows: dict[str, Row] = {}
    heard: list[Record] = []
    told: list[Edge] = []

    for start in range(0, len(arrivals), size):
        batch = arrivals[start : start + size]
        heard += batch
        facts = [(record, decode_data(record.envelope)) for record in batch]
        told += collect(facts).edges.values()
        people = People(rows)
        people.regroup(partition(told, Limits()).persons)
        people.add(facts)
        for person in people:
            carry_on(person)
            if person.is_stale:
                own = [r for r in heard if r.envelope.subject in person.members]
                refold(person, [(r, decode_data(r.envelope)) for r in own])
            row = Row(person.root, None, person.members, unpack(pack(person.profile)))
            rows |= {member: Row(member, person.root, None, None) for member in person.members}
            rows[person.root] = row

    states = [row.profile for row in rows.values() if row.profile is not None]
    assert states == [given(*history)]
