"""Counting everything again from the log, beside the live numbers, and taking their place."""

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rapport_events.envelope import Record
from rapport_metrics.closing import close_days
from rapport_runtime.rebuild import rebuild, roll_back, verify

from tests.support.events import happened, new_subject
from tests.support.fixtures import MakeDatabase
from tests.support.kpi_answers import differences
from tests.support.kpi_example import IS_PRESENT, expected, happenings, lines
from tests.support.kpi_records import records
from tests.support.metrics_house import Callers, prepare_metrics
from tests.support.metrics_log import Counted, Log, open_counted
from tests.support.rapport import rapport, stack_file
from tests.support.servers import open_test_broker, own_broker_choice

# After the example's end, so that all tests may share a log.
SPAN = {
    "start": "2027-01-01T00:00:00Z", "to": "2027-02-01T00:00:00Z", "as_of": "2027-03-01T00:00:00Z"
}  # fmt: skip
FEBRUARY_3 = datetime(2027, 2, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
async def log() -> AsyncIterator[Log]:
    async with open_test_broker(own_broker_choice()) as broker:
        yield await Log.make(broker)


@pytest.fixture
async def counted(log: Log, new_database: MakeDatabase, callers: Callers) -> AsyncIterator[Counted]:
    async with open_counted(log, await new_database(prepare_metrics), callers) as opened:
        yield opened


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2027, 1, day, hour, tzinfo=UTC)


def a_shop(people: int = 20) -> list[Record]:
    """Orders, some refunded; tickets, some resolved; in an order that only chance knows."""
    told = []
    for number in range(people):
        subject, day = new_subject(), 1 + number
        order: dict[str, Any] = {"order": f"o-{subject}", "amount": 1_000, "currency": "EUR"}
        told.append(happened("order.placed", subject, at(day), fields=order))
        ticket = {"ticket": f"t-{subject}"}
        told.append(happened("ticket.created", subject, at(day), channel="email", fields=ticket))
        if number % 2:
            refund = {"order": f"o-{subject}", "refund": "r", "amount": 400}
            told.append(happened("order.refunded", subject, at(day + 2), fields=refund))
            told.append(happened("ticket.resolved", subject, at(day, 15), fields=ticket))
    random.shuffle(told)
    return told


async def numbers(counted: Counted) -> dict[str, Any]:
    """Some of each kind: totals, distributions, levels and persons."""
    found = {}
    for kpi in ("aov", "refunds", "ttr_full", "fcr", "backlog_end", "active_buyers", "ccr"):
        found[kpi] = await counted.house.series(kpi, **SPAN, grain="week")
    return found


async def test_counting_goes_on_after_a_rebuild_and_after_a_roll_back(counted: Counted) -> None:
    await counted.log.tell(a_shop())
    await counted.count()
    await rebuild(counted.site)
    before = await numbers(counted)

    await counted.log.tell(a_shop(5))
    await counted.count()
    after = await numbers(counted)
    report = await roll_back(counted.site)

    assert report["status"] == "rolled_back"
    assert before != after == await numbers(counted)
    assert (await rebuild(counted.site))["status"] == "promoted"
    assert after == await numbers(counted)


async def test_what_was_published_and_told_stays(counted: Counted) -> None:
    await counted.log.tell(a_shop())
    await counted.count()
    async with counted.house.resources.engine.begin() as tx:
        await close_days(tx, FEBRUARY_3)
    subject, order = new_subject(), {"order": new_subject(), "amount": 1, "currency": "EUR"}
    await counted.log.tell([happened("order.placed", subject, at(30), fields=order)])
    await counted.count()
    told = "SELECT * FROM published ORDER BY metric, day"
    ledger = "SELECT id, metric, day, num, den FROM restatement ORDER BY id"
    before = await counted.rows(told), await counted.rows(ledger)
    assert all(before)

    await rebuild(counted.site)

    assert (await counted.rows(told), await counted.rows(ledger)) == before


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (
            "UPDATE cell SET num = num + 1 WHERE metric = 'refunds' AND bucket / 1440 = 20826",
            "total",
        ),
        ("DELETE FROM cell WHERE metric = 'refunds' AND bucket / 1440 = 20826", "total"),
        ("DELETE FROM dims WHERE channel IS NULL", "total"),
        (
            "UPDATE purchase SET net = net - 1"
            " WHERE order_id = (SELECT min(order_id) FROM purchase)",
            "purchase",
        ),
        ("DELETE FROM activity", "activity"),
        ("UPDATE daily SET den = den - 1 WHERE metric = 'refunds' AND day = 20826", "daily"),
        (
            "DELETE FROM entity WHERE kind = 'order'"
            " AND id = (SELECT max(id) FROM entity WHERE kind = 'order')",
            "entity",
        ),
    ],
)
async def test_a_damaged_number_is_found_by_verification(
    counted: Counted, damage: str, part: str
) -> None:
    await counted.log.tell(a_shop())
    await counted.count()

    await counted.rows(damage)

    report = await verify(counted.site, None)
    assert set(report["differing_parts"]) == {part}
    if "20826" in damage:
        [found] = report["differences"]
        assert found["subject"] == "refunds 2027-01-08"


async def test_what_a_forced_version_changes_is_in_the_ledger(counted: Counted) -> None:
    await counted.log.tell(a_shop())
    await counted.count()
    await counted.rows("UPDATE cell SET num = num + 7 WHERE metric = 'refunds'")
    async with counted.house.resources.engine.begin() as tx:
        await close_days(tx, FEBRUARY_3)

    assert (await rebuild(counted.site))["status"] == "built"
    assert (await rebuild(counted.site, force=True))["status"] == "promoted"

    listed = (await counted.house.read("/v1/restatements", kpi="refunds"))["restatements"]
    assert all(one["num"] < 0 and one["num"] % 7 == 0 and one["den"] == 0 for one in listed)
    assert listed[0]["kinds"] == {"rebuild": 1}
    assert (
        await counted.rows("""
        SELECT metric, day FROM published
        LEFT JOIN (SELECT metric, day, sum(num) AS num FROM restatement GROUP BY 1, 2) AS ledger
            USING (metric, day)
        WHERE published.num + coalesce(ledger.num, 0) <> (
            SELECT sum(num) FROM cell
            WHERE cell.metric = published.metric
                AND DATE '1970-01-01' + bucket / 1440 = published.day)
    """)
        == []
    )


async def test_the_command_line_shows_what_differs_and_mends_it(
    counted: Counted, tmp_path: Path
) -> None:
    await counted.log.tell(a_shop())
    await counted.count()
    await counted.rows(
        "UPDATE cell SET num = num + 1 WHERE metric = 'refunds' AND bucket / 1440 = 20826"
    )
    stack = str(stack_file(counted, tmp_path))

    status, out, said = await rapport("verify", "metrics", "--stack", stack)

    assert (status, "refunds 2027-01-08" in out) == (1, True), said
    assert "totals compared, 1 differ." in said
    mend = ("rebuild", "metrics", "--force-promote", "--stack", stack)
    status, _, said = await rapport(*mend)
    assert (status, "Version 1 is promoted." in said) == (0, True), said
    assert (await verify(counted.site, None))["differing"] == 0


async def test_a_sample_of_totals_is_refused_with_the_reason() -> None:
    status, _, said = await rapport("verify", "metrics", "--sample", "5")

    assert status != 0
    assert "a total is of everybody" in said


@pytest.mark.skipif(not IS_PRESENT, reason="the worked example is not here")
@pytest.mark.slow
async def test_every_number_of_the_example_is_the_same_after_a_rebuild(counted: Counted) -> None:
    async def ask(kpi: str, query: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        named = {"start" if name == "from" else name: value for name, value in query.items()}
        return await counted.house.series(kpi, **named)

    await counted.log.tell(records(happenings(lines())))
    await counted.count()
    tables = await counted.rows("SELECT 'cell'::regclass::oid, 'person'::regclass::oid")

    report = await rebuild(counted.site)

    assert (report["differing"], report["status"]) == (0, "promoted")
    assert report["compared"]["total"] > 1_000
    now = await counted.rows("SELECT 'cell'::regclass::oid, 'person'::regclass::oid")
    assert set(now[0]).isdisjoint(tables[0])
    assert await differences(ask, expected()) == []
    assert (await verify(counted.site, None))["differing"] == 0
