"""Two versions of a definition, side by side over all history."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.events import happened, new_subject
from tests.support.fixtures import MakeDatabase
from tests.support.kpi_example import IS_PRESENT, happenings, lines
from tests.support.kpi_records import records
from tests.support.metrics_house import Callers, House, open_house, prepare_metrics

LATER = "2026-06-01T00:00:00Z"
JANUARY = {"start": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
LATER = "2026-06-01T00:00:00Z"

SAME = (
    "fcr", "handle_time", "frt", "ttr_full", "sla_frt", "sla_res", "nps", "response_rate_csat",
    "self_service", "aov", "revenue_net", "contacts", "abandonment",
)  # fmt: skip


@pytest.fixture
async def house(new_database: MakeDatabase, callers: Callers) -> AsyncIterator[House]:
    definitions: dict[str, Any] = {
        "fcr.v2": {"repeat_contact_days": 3},
        "sla_frt.v2": {"sla_first_reply_seconds": {"low": 172_800}},
        "ccr.v2": {"repeat_contact_days": 3},
    }
    definitions |= {f"{kpi}.v9": {} for kpi in SAME}
    database = await new_database(prepare_metrics)
    async with open_house(database, callers, definitions=definitions) as opened:
        yield opened


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


async def a_customer_who_comes_back_after_four_days(house: House) -> None:
    subject = new_subject()
    for day in (5, 9):
        ticket = {"ticket": f"t-{day}", "topic": "billing"}
        made = happened("ticket.created", subject, at(day), channel="email", fields=ticket)
        solved = happened("ticket.resolved", subject, at(day, 15), ticket=f"t-{day}")
        await house.tell([made, solved])


async def test_another_window_of_repeats_finds_other_first_contacts(house: House) -> None:
    await a_customer_who_comes_back_after_four_days(house)

    [in_force] = await house.series("fcr", **JANUARY, as_of=LATER)
    [other] = await house.series("fcr", **JANUARY, as_of=LATER, definition="fcr.v2")

    assert (in_force["num"], in_force["den"]) == (0, 1)
    assert (other["num"], other["den"]) == (2, 2)


async def test_a_unit_is_decided_when_the_window_of_its_definition_is_over(house: House) -> None:
    await a_customer_who_comes_back_after_four_days(house)
    five_days_later = "2026-01-14T13:00:00Z"

    [in_force] = await house.series("fcr", **JANUARY, as_of=five_days_later)
    [other] = await house.series("fcr", **JANUARY, as_of=five_days_later, definition="fcr.v2")

    assert (in_force["den"], in_force["pending"]) == (1, 0)
    assert (other["den"], other["pending"]) == (2, 0)
    [young] = await house.series(
        "fcr", **JANUARY, as_of="2026-01-11T00:00:00Z", definition="fcr.v2"
    )
    assert (young["den"], young["pending"]) == (1, 1)


async def test_versions_are_compared_in_one_answer(house: House) -> None:
    await a_customer_who_comes_back_after_four_days(house)

    answer = await house.read(
        "/v1/kpis/compare", kpi="fcr", definitions="fcr.v1,fcr.v2", **JANUARY, grain="week"
    )

    found = {one["definition"]: one["series"] for one in answer["definitions"]}
    assert list(found) == ["fcr.v1", "fcr.v2"]
    assert [sum(point["den"] for point in series) for series in found.values()] == [1, 2]
    assert found["fcr.v1"] == await house.series("fcr", **JANUARY, grain="week")
    assert found["fcr.v2"] == await house.series(
        "fcr", **JANUARY, grain="week", definition="fcr.v2"
    )


async def test_a_deadline_of_another_definition_may_lie_behind_all_events(house: House) -> None:
    ticket = {"ticket": "t", "priority": "low"}
    await house.tell([happened("ticket.created", new_subject(), at(5), fields=ticket)])
    day_six = {"start": "2026-01-06T00:00:00Z", "to": "2026-01-07T00:00:00Z"}
    day_seven = {"start": "2026-01-07T00:00:00Z", "to": "2026-01-08T00:00:00Z"}

    assert (await house.series("sla_frt", **day_six))[0]["den"] == 1
    [there] = await house.series("sla_frt", **day_seven, definition="sla_frt.v2")

    assert (there["num"], there["den"]) == (0, 1)
    listed = await house.read(
        "/v1/kpis/sla_frt/events", **day_seven, as_of=LATER, definition="sla_frt.v2"
    )
    assert [(one["id"], one["num"], one["den"]) for one in listed["facts"]] == [("t", 0, 1)]


async def test_what_is_behind_another_version_adds_up_to_it(house: House) -> None:
    await a_customer_who_comes_back_after_four_days(house)

    in_force = await house.read("/v1/kpis/fcr/events", **JANUARY)
    other = await house.read("/v1/kpis/fcr/events", **JANUARY, definition="fcr.v2")

    assert [one["definition"] for one in (in_force, other)] == ["fcr.v1", "fcr.v2"]
    assert sum(one["den"] for one in in_force["facts"]) == 1
    assert sum(one["den"] for one in other["facts"]) == 2
    refused = await house.get("/v1/kpis/fcr/events", **JANUARY, definition="fcr.v3")
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_definition")


@pytest.mark.skipif(not IS_PRESENT, reason="the worked example is not here")
async def test_what_is_counted_again_is_what_was_counted_all_along(house: House) -> None:
    await house.tell(records(happenings(lines())))
    months = {"start": "2026-02-01T00:00:00Z", "to": "2026-04-01T00:00:00Z", "grain": "month"}

    for kpi in SAME:
        for more in ({}, {"as_of": "2026-03-10T00:00:00Z"}):
            kept = await house.series(kpi, **months, **more)
            again = await house.series(kpi, **months, **more, definition=f"{kpi}.v9")

            assert again == kept, kpi
    by_channel = {**months, "group_by": "channel"}
    groups = await house.series("ttr_full", **by_channel, definition="ttr_full.v9")
    assert groups == await house.series("ttr_full", **by_channel)


async def test_the_catalogue_lists_the_versions(house: House) -> None:
    listed = {one["kpi"]: one["definitions"] for one in (await house.read("/v1/kpis"))["kpis"]}

    assert listed["fcr"] == ["fcr.v1", "fcr.v2", "fcr.v9"]
    assert listed["ccr"] == ["ccr.v1"]


@pytest.mark.parametrize(
    ("path", "query", "code", "pointer"),
    [
        ("fcr", {"definition": "fcr.v3"}, "unknown_definition", "/definition"),
        ("nps", {"definition": "fcr.v2"}, "unknown_definition", "/definition"),
        ("ccr", {"definition": "ccr.v2"}, "unknown_definition", "/definition"),
        ("compare", {"kpi": "fcr", "definitions": "fcr.v1"}, "bad_definitions", "/definitions"),
        (
            "compare",
            {"kpi": "fcr", "definitions": "fcr.v1,fcr.v1"},
            "bad_definitions",
            "/definitions",
        ),
        (
            "compare",
            {"kpi": "fcr", "definitions": "fcr.v1,fcr.v4"},
            "unknown_definition",
            "/definitions",
        ),
        ("compare", {"kpi": "fcrr", "definitions": "a,b"}, "unknown_kpi", "/kpi"),
        ("compare", {"kpi": "fcr"}, "validation_failed", "/definitions"),
    ],
)
async def test_a_version_that_is_not_there_is_refused_with_those_that_are(
    house: House, path: str, query: dict[str, str], code: str, pointer: str
) -> None:
    answer = await house.get(f"/v1/kpis/{path}", **query)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_version_has_a_name_that_says_of_what(callers: Callers) -> None:
    for name in ("fcr", "fcr.v1", "FCR.v2"):
        with pytest.raises(ValidationError):
            async with open_house("postgresql://nowhere", callers, definitions={name: {}}):
                pass
