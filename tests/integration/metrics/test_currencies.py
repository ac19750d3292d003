"""Amounts of different currencies are different things."""

from datetime import UTC, datetime, timedelta

from prometheus_client import Gauge
from rapport_events.envelope import Record
from rapport_metrics.settings import MetricsSettings
from rapport_metrics.watch import LABELS, watch_once

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


async def test_a_gauge_and_a_target_are_of_one_currency(house: House) -> None:
    settings = house.resources.settings
    assert isinstance(settings, MetricsSettings)
    await house.tell([order(1, "EUR", 1_000), order(2, "EUR", 3_000), order(3, "JPY", 90_000)])
    target = {"kpi": "aov", "at_most": 5_000, "least_den": 1}
    for name in ("eur", "jpy"):
        dims = {"currency": name.upper()}
        await house.put(f"/v1/targets/{name}", {**target, "dims": dims})
    gauge = house.resources.metrics.gauge("kpi_value", "A headline KPI", LABELS)
    assert isinstance(gauge, Gauge)

    await watch_once(house.resources, settings, JANUARY_5 + timedelta(days=1), gauge)

    scraped = (await house.client.get("/metrics")).text
    assert 'kpi_value{currency="EUR",kpi="aov"} 2000.0' in scraped
    assert 'kpi_value{currency="JPY",kpi="aov"} 90000.0' in scraped
    assert [one["name"] for one in (await house.read("/v1/alerts"))["alerts"]] == ["jpy"]


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
