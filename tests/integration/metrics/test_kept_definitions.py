"""A second version of a definition, kept beside the one in force, over all history."""

import json
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rapport_events.envelope import Record
from rapport_metrics.closing import close_days, tell_restatements
from rapport_metrics.rebuilding import NoSuchDefinitionError, begin_to_keep
from rapport_runtime.rebuild import rebuild, verify

from tests.support.events import happened, new_subject
from tests.support.fixtures import MakeDatabase
from tests.support.kpi_example import IS_PRESENT, happenings, lines
from tests.support.kpi_records import records
from tests.support.metrics_house import Callers, prepare_metrics
from tests.support.metrics_log import Counted, Log, open_counted
from tests.support.rapport import rapport, stack_file
from tests.support.servers import open_test_broker, own_broker_choice

THREE_DAYS = {"repeat_contact_days": 3}
PATIENT = {"sla_first_reply_seconds": {"normal": 172_800}}
REPEATS = ("fcr", "contacts", "contact_rate_orders")
DEFINITIONS = {
    **{f"{kpi}.v{number}": THREE_DAYS for kpi in REPEATS for number in (2, 3)},
    **{f"sla_frt.v{number}": PATIENT for number in (2, 3)},
}
"""The second of each means the same as the third, which nobody keeps."""

SPAN = {
    "start": "2027-01-01T00:00:00Z", "to": "2027-03-01T00:00:00Z", "as_of": "2027-04-01T00:00:00Z"
}  # fmt: skip
MARCH_2 = datetime(2027, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
async def log() -> AsyncIterator[Log]:
    async with open_test_broker(own_broker_choice()) as broker:
        yield await Log.make(broker)


@pytest.fixture
async def counted(log: Log, new_database: MakeDatabase, callers: Callers) -> AsyncIterator[Counted]:
    database = await new_database(prepare_metrics)
    async with open_counted(log, database, callers, definitions=DEFINITIONS) as opened:
        yield opened


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2027, 1, 1, hour, tzinfo=UTC) + timedelta(days=day - 1)


def people_who_come_back(people: int = 12) -> list[Record]:
    """Each with two tickets, some days apart; late, merged, answered, some opened again."""
    told = []
    for number in range(people):
        one, other = new_subject(), new_subject()
        for subject, day in ((one, 1 + number), (other, 3 + 2 * number)):
            ticket = {"ticket": f"t-{subject}", "topic": "billing"}
            told += [
                happened("ticket.created", subject, at(day), channel="email", fields=ticket),
                happened("ticket.resolved", subject, at(day, 20), ticket=f"t-{subject}"),
                happened(
                    "ticket.message", subject, at(day + 1, 18), channel="email",
                    fields={"ticket": f"t-{subject}", "direction": "out", "public": True},
                ),
            ]  # fmt: skip
            if number % 3 == 0:
                told.append(
                    happened("ticket.reopened", subject, at(day + 5), ticket=f"t-{subject}")
                )
        merged = happened("customer.merged", one, at(40), fields={"from_subject": other})
        told.append(merged)
    random.shuffle(told)
    return told


async def both(counted: Counted, kpi: str, **query: str) -> tuple[Any, Any, list[str]]:
    """What the second version says, what the third does, and how each was counted."""
    names = f"{kpi}.v2,{kpi}.v3"
    answer = await counted.house.read(
        "/v1/kpis/compare", kpi=kpi, definitions=names, **{**SPAN, **query}
    )
    second, third = answer["definitions"]
    return second["series"], third["series"], [second["counted"], third["counted"]]


async def keep(counted: Counted, *definitions: str) -> dict[str, Any]:
    site = counted.site_that_keeps(*definitions)
    await begin_to_keep(site, counted.settings, definitions)
    return await rebuild(site)


async def test_a_version_is_kept_over_all_history_and_level_with_the_log_from_then_on(
    counted: Counted,
) -> None:
    await counted.log.tell(people_who_come_back())
    await counted.count()
    second, third, how = await both(counted, "fcr", grain="week", group_by="channel")
    assert (second == third, how) == (True, ["when_asked", "when_asked"])

    report = await keep(counted, "fcr.v2", "sla_frt.v2")
    assert (report["status"], report["differing"]) == ("promoted", 0)
    await counted.log.tell(people_who_come_back(5))
    await counted.count()

    for kpi in ("fcr", "sla_frt"):
        for query in ({}, {"grain": "week", "group_by": "channel"}, {"as_of": "2027-01-09T12:30Z"}):
            second, third, how = await both(counted, kpi, **query)
            assert (second == third, how) == (True, ["kept", "when_asked"])
            assert sum(point["den"] for point in second) > 0
        [in_force] = await counted.house.series(kpi, **SPAN)
        [other] = await counted.house.series(kpi, **SPAN, definition=f"{kpi}.v2")
        assert other["num"] != in_force["num"]
    assert (await verify(counted.site, None))["differing"] == 0


async def test_versions_of_two_kpis_that_count_the_same_things_are_kept_apart(
    counted: Counted,
) -> None:
    await keep(counted, "contacts.v2", "contact_rate_orders.v2")
    await counted.log.tell(people_who_come_back())
    await counted.count()

    for kpi in ("contacts", "contact_rate_orders"):
        second, third, how = await both(counted, kpi)
        assert (second == third, how) == (True, ["kept", "when_asked"])


async def test_what_is_kept_is_kept_by_the_next_rebuild_as_well(counted: Counted) -> None:
    await counted.log.tell(people_who_come_back())
    await counted.count()
    await keep(counted, "fcr.v2")

    report = await rebuild(counted.site)

    assert (report["status"], report["differing"]) == ("promoted", 0)
    second, third, how = await both(counted, "fcr")
    assert (second == third, how) == (True, ["kept", "when_asked"])


async def test_a_version_that_means_something_else_now_is_kept_no_longer(
    counted: Counted, log: Log, callers: Callers
) -> None:
    await log.tell(people_who_come_back())
    await counted.count()
    await keep(counted, "fcr.v2", "sla_frt.v2")
    changed = {**DEFINITIONS, **{f"fcr.v{number}": {"repeat_contact_days": 1} for number in (2, 3)}}

    url = counted.settings.database.url
    async with open_counted(log, url, callers, definitions=changed) as later:
        second, third, how = await both(later, "fcr")
        assert (second == third, how) == (True, ["when_asked", "when_asked"])
        await log.tell(people_who_come_back(1))
        await later.count()

        kept = await later.rows("SELECT definition FROM kept ORDER BY definition")
        assert kept == [("in force",), ("sla_frt.v2",)]
        assert (await both(later, "sla_frt"))[2] == ["kept", "when_asked"]
        assert await later.rows("SELECT 1 FROM cell WHERE metric = 'fcr@fcr.v2' LIMIT 1") == []
        assert (await verify(later.site, None))["differing"] == 0


async def test_what_changes_a_published_day_is_told_of_each_version(counted: Counted) -> None:
    await counted.log.tell(people_who_come_back())
    await counted.count()
    engine = counted.house.resources.engine
    async with engine.begin() as tx:
        await close_days(tx, MARCH_2)
    await keep(counted, "fcr.v2")
    published = "SELECT count(*) FROM published WHERE metric = 'fcr@fcr.v2'"
    assert await counted.rows(published) == [
        (len({1 + n for n in range(12)} | {3 + 2 * n for n in range(12)}),)
    ]
    assert await counted.rows("SELECT 1 FROM restatement") == []

    subject, ticket = new_subject(), {"ticket": new_subject(), "topic": "billing"}
    late = happened("ticket.created", subject, at(15), channel="email", fields=ticket)
    await counted.log.tell([late])
    await counted.count()
    async with engine.begin() as tx:
        await tell_restatements(tx, MARCH_2)

    told = await counted.rows("SELECT convert_from(value, 'UTF8') FROM outbox")
    said = [json.loads(value)["data"] for (value,) in told]
    definitions = {(one["kpi"], one["definition"]) for one in said if one["kpi"] == "fcr"}
    assert definitions == {("fcr", "fcr.v1"), ("fcr", "fcr.v2")}
    second, third, _ = await both(counted, "fcr", grain="day")
    assert [[one["restated"] for one in points].count(True) for points in (second, third)] == [1, 0]
    ledger = (await counted.house.read("/v1/restatements", kpi="fcr"))["restatements"]
    found = {(one["metric"], *one["kpis"]) for one in ledger}
    assert found == {("fcr", "fcr"), ("fcr@fcr.v2", "fcr")}


async def test_a_build_that_was_begun_without_the_version_is_begun_anew(counted: Counted) -> None:
    await counted.log.tell(people_who_come_back())
    await counted.count()
    assert (await rebuild(counted.site, promote=False))["status"] == "built"

    report = await keep(counted, "fcr.v2")

    assert report["status"] == "promoted"
    second, third, how = await both(counted, "fcr")
    assert (second == third, how) == (True, ["kept", "when_asked"])


async def test_a_version_that_nobody_defined_is_refused_with_those_that_are(
    counted: Counted,
) -> None:
    with pytest.raises(NoSuchDefinitionError, match=r"fcr\.v8.*there is .*fcr\.v2, fcr\.v3, sla"):
        await keep(counted, "fcr.v8")


async def test_the_command_line_begins_to_keep_a_version(
    counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORT_KPI__DEFINITIONS", json.dumps(DEFINITIONS))
    await counted.log.tell(people_who_come_back(3))
    await counted.count()
    words = ("rebuild", "metrics", "--stack", str(stack_file(counted, tmp_path)), "--definition")

    status, _, said = await rapport(*words, "fcr.v8")
    assert (status != 0, "fcr.v2, fcr.v3" in said) == (True, True), said
    status, _, said = await rapport(*words, "fcr.v2")

    assert (status, "is promoted." in said) == (0, True), said
    assert (await both(counted, "fcr"))[2] == ["kept", "when_asked"]


@pytest.mark.skipif(not IS_PRESENT, reason="the worked example is not here")
@pytest.mark.slow
async def test_of_the_example_the_kept_version_says_what_counting_again_does(
    counted: Counted,
) -> None:
    await counted.log.tell(records(happenings(lines())))
    await counted.count()
    assert (await keep(counted, "fcr.v2", "sla_frt.v2"))["status"] == "promoted"
    half = {"start": "2026-01-01T00:00:00Z", "to": "2026-07-01T00:00:00Z", "grain": "month"}

    for kpi in ("fcr", "sla_frt"):
        for as_of in ("2026-08-01T00:00:00Z", "2026-03-03T03:03:00Z"):
            second, third, how = await both(counted, kpi, **half, as_of=as_of, group_by="channel")
            assert (second == third, how) == (True, ["kept", "when_asked"])
