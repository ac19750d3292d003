"""Amounts of different currencies are different things."""

from datetime import UTC, datetime

from rapport_events.envelope import Record

from tests.support.events import happened, new_subject
from tests.support.metrics_house import House

JANUARY = {"start": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
JANUARY_5 = datetime(2026, 1, 5, 12, tzinfo=UTC)


def order(number: int, currency: str, amount: int) -> Record:
    fields = {"order": f"o-{number}", "amount": amount, "currency": currency}
    return happened("order.placed", new_subject(), JANUARY_5, fields=fields)


async def test_amounts_of_two_currencies_are_never_added(house: House) -> None:
    await house.tell([order(1, "EUR", 1_000), order(2, "EUR", 3_000), order(3, "JPY", 900)])

    series = await house.series("aov", **JANUARY)
    only = await house.series("aov", **JANUARY, currency="EUR")

    assert {one["dims"]["currency"]: one["value"] for one in series} == {"EUR": 2_000, "JPY": 900}
    assert [(one["dims"], one["value"]) for one in only] == [({}, 2_000)]


async def test_one_currency_needs_no_name(house: House) -> None:
    await house.tell([order(1, "EUR", 1_000)])

    [point] = await house.series("aov", **JANUARY)

    assert (point["dims"], point["value"]) == ({}, 1_000)


async def test_what_buyers_are_worth_is_told_in_the_currency_in_which_most_is_bought(
    house: House,
) -> None:
    await house.tell([order(1, "EUR", 1_000), order(2, "EUR", 3_000), order(3, "JPY", 90_000)])

    [value] = await house.series("clv_historic", **JANUARY)
    groups = await house.series("rfm", **JANUARY)

    assert (value["num"], value["den"]) == (4_000, 2)
    # All bought at the same time and once; what was paid in yen is worth nothing in euros.
    assert {one["dims"]["rfm"]: one["num"] for one in groups} == {"111": 1, "112": 1, "114": 1}
