"""Which orders count, where clients say little of them."""

from datetime import UTC, datetime, timedelta

from rapport_events.envelope import Record

from tests.support.events import happened, new_subject
from tests.support.metrics_house import House

JANUARY = {"start": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


async def numbers(house: House, *kpis: str) -> dict[str, tuple[int, int]]:
    found = {}
    for kpi in kpis:
        [point] = await house.series(kpi, **JANUARY)
        found[kpi] = (point["num"], point["den"])
    return found


def order(number: int, amount: int | None) -> Record:
    fields = {"order": f"o-{number}", "amount": amount, "currency": "EUR"}
    told = {name: value for name, value in fields.items() if value is not None}
    return happened("order.placed", new_subject(), NOON, fields=told)


async def test_who_orders_for_an_amount_that_nobody_told_is_active_and_no_buyer(
    house: House,
) -> None:
    await house.tell([order(1, None), order(2, 0), order(3, 4_000)])

    assert await numbers(
        house, "revenue_gross", "aov", "active_buyers", "active_customers", "lifecycle"
    ) == {
        "revenue_gross": (4_000, 2),
        "aov": (4_000, 1),
        "active_buyers": (1, 1),
        "active_customers": (3, 1),
        "lifecycle": (1, 1),
    }


async def test_an_order_that_is_cancelled_counts_until_its_money_is_given_back(
    house: House,
) -> None:
    placed, later = order(1, 4_000), NOON + timedelta(days=1)
    await house.tell([placed, happened("order.cancelled", None, later, order="o-1")])

    assert await numbers(house, "aov", "active_buyers") == {
        "aov": (4_000, 1),
        "active_buyers": (1, 1),
    }
    await house.tell([happened("order.refunded", None, later, order="o-1")])
    assert await numbers(house, "aov", "active_buyers") == {"aov": (0, 0), "active_buyers": (0, 1)}
