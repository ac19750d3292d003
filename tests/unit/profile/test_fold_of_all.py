"""What is said without an amount, or without a channel, is said of all of it."""

from typing import Any

import pytest
from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from rapport_profile.domain.fold import fold
from rapport_profile.domain.state import Profile

from tests.support.events import NOON, days, happened, new_subject


def given(*records: Record) -> Profile:
    return fold(Profile(), [(record, decode_data(record.envelope)) for record in records])


def test_a_refund_without_an_amount_is_of_all_of_the_order() -> None:
    subject = new_subject()
    order: dict[str, Any] = {"order": "O-1", "amount": 1_000, "currency": "EUR"}

    profile = given(
        happened("order.placed", subject, NOON, **order),
        happened("order.refunded", subject, NOON + days(1), order="O-1"),
    )

    assert (profile.orders["O-1"].refunded, profile.orders["O-1"].net) == (1_000, 0)
    assert profile.purchase_times == []


@pytest.mark.parametrize("amount", [400, None])
@pytest.mark.parametrize(("currency", "net"), [("JPY", 1_000), ("EUR", None), (None, None)])
def test_a_refund_in_another_currency_takes_nothing_off_the_order(
    amount: int | None, currency: str | None, net: int | None
) -> None:
    subject = new_subject()
    order: dict[str, Any] = {"order": "O-1", "amount": 1_000, "currency": "EUR"}
    refund = {"order": "O-1", "amount": amount, "currency": currency}

    profile = given(
        happened("order.refunded", subject, NOON - days(1), fields=refund),
        happened("order.placed", subject, NOON, **order),
    )

    assert profile.orders["O-1"].net == (1_000 - (amount or 1_000) if net is None else net)


def test_a_word_on_every_channel_replaces_what_was_said_on_single_ones() -> None:
    subject = new_subject()
    told = [
        happened(
            "consent.granted", subject, NOON, fields={"channel": "email"}, purpose="marketing"
        ),
        happened("consent.granted", subject, NOON, fields={"channel": "sms"}, purpose="service"),
        happened("consent.withdrawn", subject, NOON + days(1), purpose="marketing"),
        happened(
            "consent.granted",
            subject,
            NOON + days(2),
            fields={"channel": "sms"},
            purpose="marketing",
        ),
    ]

    consents = given(*told).consents

    assert {name: one.granted for name, one in consents.items()} == {
        "sms/service": True,
        "*/marketing": False,
        "sms/marketing": True,
    }
