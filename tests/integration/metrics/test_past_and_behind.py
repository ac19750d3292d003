"""Numbers as of an earlier instant, and what a number is made of."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from rapport_metrics.domain.catalogue import CATALOGUE
from rapport_metrics.domain.instants import instant

from tests.support.events import happened, new_subject
from tests.support.fixtures import MakeDatabase
from tests.support.kpi_example import IS_PRESENT, happenings, lines
from tests.support.kpi_records import records
from tests.support.metrics_house import Callers, House, open_house, prepare_metrics

example = pytest.mark.skipif(not IS_PRESENT, reason="the worked example is not here")

JANUARY = {"start": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
ALL = {"start": "2026-01-01T00:00:00Z", "to": "2026-07-01T00:00:00Z"}
APRIL = datetime(2026, 4, 17, 13, tzinfo=UTC)
SEED = 5
DAY = timedelta(days=1)


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


async def every_kpi(house: House, **query: str) -> dict[str, Any]:
    """What the additive KPIs say, by month and channel."""
    return {
        kpi.id: await house.series(kpi.id, **ALL, grain="month", **query)
        for kpi in CATALOGUE.values()
        if kpi.shape not in {"persons", "mix"}
    }


@example
async def test_as_of_an_instant_is_what_was_counted_when_nothing_later_had_happened(
    house: House, new_database: MakeDatabase, callers: Callers
) -> None:
    everything = list(happenings(lines()))
    earlier = [one for one in everything if one.by.at < instant(APRIL)]
    async with open_house(await new_database(prepare_metrics), callers) as past:
        await past.tell(records(earlier))
        wanted = await every_kpi(past, as_of="2026-04-17T13:00:00Z")

    await house.tell(records(everything))

    found = await every_kpi(house, as_of="2026-04-17T13:00:00Z")
    assert {kpi for kpi in found if found[kpi] != wanted[kpi]} == set()


async def test_a_later_refund_does_not_change_what_was_as_of_before_it(house: House) -> None:
    subject = new_subject()
    order: dict[str, Any] = {"order": "o-1", "amount": 5_000, "currency": "EUR"}
    await house.tell(
        [
            happened("order.placed", subject, at(3), **order),
            happened("order.refunded", subject, at(20), order="o-1", amount=2_000),
        ]
    )

    [before] = await house.series("aov", **JANUARY, as_of="2026-01-10T00:00:00Z")
    [after] = await house.series("aov", **JANUARY)

    assert (before["num"], after["num"]) == (5_000, 3_000)


@example
@pytest.mark.parametrize("kpi", ["nps", "fcr", "frt", "aov", "backlog_end", "self_service"])
async def test_the_events_behind_a_number_add_up_to_it(house: House, kpi: str) -> None:
    told = list(records(happenings(lines())))
    Random(SEED).shuffle(told)
    await house.tell(told)
    window = {"start": "2026-01-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}
    [point] = await house.series(kpi, **window, as_of="2026-06-30T00:00:00Z")

    facts = await behind(house, kpi, **window, as_of="2026-06-30T00:00:00Z")

    assert sum(fact["num"] for fact in facts) == point["num"]
    assert sum(fact["den"] for fact in facts) == point["den"]
    keys = {record.key.hex() for record in told}
    assert {fact["event"] for fact in facts} <= keys


async def behind(house: House, kpi: str, **query: str) -> Sequence[dict[str, Any]]:
    """All pages."""
    facts: list[dict[str, Any]] = []
    page = await house.read(f"/v1/kpis/{kpi}/events", **query, limit=40)
    while True:
        facts += page["facts"]
        if page["next_cursor"] is None:
            return facts
        page = await house.read(
            f"/v1/kpis/{kpi}/events", **query, limit=40, cursor=page["next_cursor"]
        )


async def test_what_is_behind_a_breakdown_is_of_that_group_only(house: House) -> None:
    await house.tell(
        happened("ticket.created", new_subject(), at(day), channel=channel, ticket=f"t-{day}")
        for day, channel in ((2, "email"), (3, "chat"), (4, "email"))
    )

    facts = await behind(house, "contacts", **JANUARY, channel="email")

    assert sorted(fact["id"] for fact in facts) == ["t-2", "t-4"]
    assert {fact["dims"]["channel"] for fact in facts} == {"email"}


@pytest.mark.parametrize("field", ["grain", "group_by", "window_days"])
async def test_what_a_list_of_events_has_no_use_for_is_refused(house: House, field: str) -> None:
    answer = await house.get("/v1/kpis/contacts/events", **JANUARY, **{field: "1"})

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert answer.json()["errors"][0]["pointer"] == f"/{field}"


async def test_kpis_of_persons_have_no_events_and_say_so(house: House) -> None:
    answer = await house.get("/v1/kpis/ccr/events", **JANUARY)

    assert answer.status_code == 422
    assert "counts persons" in answer.json()["detail"]


async def test_an_instant_that_lies_ahead_counts_what_falls_due_by_then_and_says_so(
    house: House,
) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    span = {"start": (now - DAY).isoformat(), "to": (now + 3 * DAY).isoformat()}
    ticket = {"ticket": "t-1", "priority": "low"}
    made = happened("ticket.created", new_subject(), now, channel="email", fields=ticket)
    await house.tell([made])

    today = await house.read("/v1/kpis/sla_frt", **span)
    in_two_days = await house.read("/v1/kpis/sla_frt", **span, as_of=(now + 2 * DAY).isoformat())

    assert [(one["num"], one["den"]) for one in today["series"]] == [(0, 0)]
    [point] = in_two_days["series"]
    assert (point["num"], point["den"], point["state"]) == (0, 1, "open")
    assert "lies ahead" in in_two_days["note"]
    whole = {"start": (now - DAY).isoformat(), "to": (now + DAY).isoformat()}
    [point] = await house.series("sla_frt", **whole, as_of=(now + 2 * DAY).isoformat())
    assert point["state"] == "open"
