"""Numbers as of an earlier instant, and what a number is made of."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from rapport_events import wire
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
WHO_IS_WHO = (wire.CustomerMerged, wire.CustomerUnmerged, wire.CustomerErased)
"""Not of an instant: who a person is, and who was erased, counts in the past too."""
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
async def test_persons_as_of_an_instant_are_counted_by_what_they_had_bought_and_said(
    house: House, new_database: MakeDatabase, callers: Callers
) -> None:
    everything = list(happenings(lines()))
    known = [
        one for one in everything if one.by.at < instant(APRIL) or isinstance(one.data, WHO_IS_WHO)
    ]
    persons = [kpi.id for kpi in CATALOGUE.values() if kpi.shape == "persons"]
    asked = {**ALL, "grain": "month", "as_of": "2026-04-17T13:00:00Z"}
    async with open_house(await new_database(prepare_metrics), callers) as past:
        await past.tell(records(known))
        wanted = {kpi: await past.series(kpi, **asked) for kpi in persons}

    await house.tell(records(everything))

    found = {kpi: await house.series(kpi, **asked) for kpi in persons}
    assert {kpi for kpi in persons if found[kpi] != wanted[kpi]} == set()
    assert sum(point["num"] for point in found["active_buyers"]) > 0


async def test_a_buyer_who_had_it_all_refunded_later_was_a_buyer_until_then(house: House) -> None:
    kept, returned = new_subject(), new_subject()
    sold = {"amount": 5_000, "currency": "EUR"}
    await house.tell(
        [
            happened("order.placed", kept, at(2), fields={"order": "o-1", **sold}),
            happened("order.placed", returned, at(3), fields={"order": "o-2", **sold}),
            happened("order.refunded", kept, at(20), order="o-1", amount=2_000),
            happened("order.refunded", returned, at(20), order="o-2"),
        ]
    )

    then = {**JANUARY, "as_of": "2026-01-10T00:00:00Z"}
    for kpi, before, now in (
        ("active_buyers", (2, 1), (1, 1)),
        ("purchase_frequency", (2, 2), (1, 1)),
        ("clv_historic", (10_000, 2), (3_000, 1)),
        ("lifecycle", (2, 2), (1, 1)),
    ):
        [past], [point] = await house.series(kpi, **then), await house.series(kpi, **JANUARY)
        assert ((past["num"], past["den"]), (point["num"], point["den"])) == (before, now), kpi


async def test_an_answer_corrected_later_counts_as_it_was_given(house: House) -> None:
    survey = {"survey": "s-1", "kind": "nps"}
    subject = new_subject()
    answers = [(5, 1, 10), (15, 2, 3)]
    await house.tell(
        [
            happened("survey.sent", subject, at(4), fields=survey),
            *(
                happened(
                    "survey.responded", subject, at(day),
                    fields={**survey, "revision": revision, "score": score},
                )
                for day, revision, score in answers
            ),
        ]
    )  # fmt: skip

    [then] = await house.series("nps_customers", **JANUARY, as_of="2026-01-10T00:00:00Z")
    [now] = await house.series("nps_customers", **JANUARY)

    assert [(one["num"], one["den"]) for one in (then, now)] == [(1, 1), (-1, 1)]


@example
@pytest.mark.parametrize("as_of", ["2026-06-30T00:00:00Z", "2026-03-30T05:12:00Z"])
@pytest.mark.parametrize("kpi", ["nps", "fcr", "frt", "aov", "backlog_end", "self_service"])
async def test_the_events_behind_a_number_add_up_to_it(house: House, kpi: str, as_of: str) -> None:
    """Of a level those of all days before; what is too young to be counted says so."""
    told = list(records(happenings(lines())))
    Random(SEED).shuffle(told)
    await house.tell(told)
    window = {"start": "2026-02-01T00:00:00Z", "to": "2026-04-01T00:00:00Z", "as_of": as_of}
    [point] = await house.series(kpi, **window)

    facts = await behind(house, kpi, **window)

    counted = [fact for fact in facts if not fact["pending"]]
    assert len(counted) > 0
    assert sum(fact["num"] for fact in counted) == point["num"]
    assert sum(fact["den"] for fact in counted) == point["den"]
    assert sum(fact["den"] for fact in facts if fact["pending"]) == point["pending"]
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
