"""Back-testing a time in which a version was live says exactly what it did."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson
import pytest
from rapport_personalization import pasts
from rapport_personalization.backtesting import reading
from rapport_personalization.domain import hindsight, living, queueing
from rapport_personalization.domain.living import Arrival, Regrouping, Step
from rapport_personalization.domain.plan import Logged, Plan, Turn
from rapport_runtime.database import create_patient_engine

from tests.support.backtested import backtested
from tests.support.fixtures import MakeDatabase
from tests.support.pasts import (
    BEGIN,
    DAY,
    END,
    a_world,
    erase,
    live_through,
    with_a_budget,
)
from tests.support.personalization_house import Callers, Databases, House, Row, open_house

# Two months are lived through before the first of them, whatever else the machine does.
pytestmark = pytest.mark.timeout(900)

PEOPLE, BUDGET = 24, 2
HELD_OUT = {"control": 3_000}
HARD = ("abandoned_cart", "thanks", "sla_apology", "birthday", "anniversary", "case_checkup")


@pytest.fixture(scope="module")
async def lived(
    new_database: MakeDatabase, callers: Callers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """A service that has been through two months, with the whole catalogue live."""
    folder = with_a_budget(tmp_path_factory.mktemp("triggers"), BUDGET)
    async with open_house(await Databases.make(new_database), callers, policies=HELD_OUT) as house:
        await house.install(folder, since=BEGIN - 400 * DAY)
        await house.execute("UPDATE trigger_step SET at = :at", at=BEGIN - DAY)
        await live_through(house, await a_world(house, 3, PEOPLE))
        yield house


def decisions_of(rows: list[Row]) -> set[tuple[object, ...]]:
    names = ("id", "outcome", "gate", "send_at", "channel", "arm", "person", "anchor")
    return {tuple(row[name] for name in names) for row in rows}


async def differing(
    house: House, trigger: str, start: datetime = BEGIN, end: datetime = END
) -> set[tuple[object, ...]]:
    """What is only in the log, or only in the back-test."""
    task = await backtested(house, trigger, start, end)
    found = await house.rows("SELECT * FROM backtest_decision WHERE backtest = :id", id=task["id"])
    logged = await house.rows(
        "SELECT * FROM decision WHERE trigger = :trigger AND send_at >= :start AND send_at < :end",
        trigger=trigger, start=start, end=end,
    )  # fmt: skip
    result, differs = task["result"], decisions_of(found) ^ decisions_of(logged)
    assert result["basis"] == "in_force"
    assert differs or result["agreement"] == ({"same": len(logged)} if logged else {})
    return differs


async def test_the_two_months_have_everything_in_them_that_is_hard(lived: House) -> None:
    decisions = await lived.decisions()
    late = "SELECT 1 FROM moment WHERE recordedtime > time + interval '4 hours'"
    groupings = await lived.rows("SELECT DISTINCT seq FROM person_grouping")

    outcomes = Counter(row["outcome"] for row in decisions)
    assert outcomes.keys() >= {
        "sent", "cancelled", "no_consent", "too_late", "holdout", "open_case", "no_budget",
        "frequency_cap", "cooldown", "recent_bad_score",
    }  # fmt: skip
    assert len(await lived.rows(late)) > 50
    assert len(groupings) == 6
    assert {row["trigger"] for row in decisions} >= {"birthday", "anniversary", "abandoned_cart"}


async def test_what_a_live_version_would_have_done_is_what_it_did(lived: House) -> None:
    triggers = await lived.rows("SELECT trigger FROM trigger_version ORDER BY trigger")

    found = {row["trigger"]: await differing(lived, row["trigger"]) for row in triggers}

    assert len(found) == 27
    assert {trigger: rows for trigger, rows in found.items() if rows} == {}


@pytest.mark.parametrize("trigger", HARD)
async def test_of_a_part_of_the_time_it_is_the_part(lived: House, trigger: str) -> None:
    assert await differing(lived, trigger, BEGIN + 20 * DAY, BEGIN + 41 * DAY) == set()


async def contents(house: House) -> dict[str, str]:
    """A digest of every table but those of the back-tests."""
    query = "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
    names = [row["name"] for row in await house.rows(query)]
    found = {}
    for name in names:
        if not name.startswith("backtest"):
            told = f"SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) AS all_ FROM {name} AS t"  # noqa: S608, E501 - ours
            found[name] = (await house.rows(told))[0]["all_"]
    return found


async def test_nothing_leaves_and_nothing_changes(lived: House) -> None:
    before = await contents(lived)

    decided = await backtested(lived, "abandoned_cart", BEGIN, END)
    imagined = await backtested(lived, "welcome", BEGIN - 300 * DAY, END)

    assert decided["result"]["outcomes"]["sent"] > 0
    assert (imagined["result"]["basis"], imagined["result"]["people"] > 0) == ("as_if", True)
    assert {"outbox", "offer", "candidate", "delivery", "decision"} <= before.keys()
    assert await contents(lived) == before


async def test_what_reads_the_past_cannot_write_whatever_it_does(lived: House) -> None:
    patient = create_patient_engine(lived.settings)
    async with reading(patient) as (_, reader):
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await reader.execute("DELETE FROM candidate")
    await patient.dispose()


def _nobody_was_merged(arrivals: list[Arrival], _: list[Regrouping]) -> list[Step]:
    return _steps(arrivals, ())


def _by_event_time(run: queueing.Run, one: living.Waiting) -> tuple[int, datetime, Logged | None]:
    seq, instant, row = _turn_of(run, one)
    return run.steps[-1].seq if row is not None else seq, instant, row


def _only_ours(plan: Plan, logged: list[Logged]) -> tuple[dict[Any, Logged], list[Logged]]:
    return _sorted_out(plan, logged)[0], []


def _always_some(plan: Plan, turn: Turn, row: Logged | None) -> int | None:
    del plan, turn, row
    return 1


_steps, _turn_of, _sorted_out = living.steps, queueing.turn_of, hindsight._sorted_out

MISTAKES: Mapping[str, tuple[object, str, Callable[..., object], tuple[str, ...]]] = {
    "merges are not minded": (pasts, "steps", _nobody_was_merged, ("birthday", "abandoned_cart")),
    "what happened in time is known, whenever it was told": (
        queueing,
        "turn_of",
        _by_event_time,
        HARD,
    ),
    "other triggers do not count": (hindsight, "_sorted_out", _only_ours, HARD),
    "there is always some budget": (hindsight, "_left", _always_some, ("abandoned_cart",)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_planted_mistake_is_noticed(
    lived: House, monkeypatch: pytest.MonkeyPatch, mistake: str
) -> None:
    module, name, wrong, triggers = MISTAKES[mistake]
    monkeypatch.setattr(module, name, wrong)

    found = [await differing(lived, trigger) for trigger in triggers]

    assert any(found)


async def test_whoever_was_erased_is_gone_from_back_tests_as_from_the_log(lived: House) -> None:
    before = await backtested(lived, "welcome", BEGIN, END)
    merged = "SELECT subject_id FROM person_grouping GROUP BY subject_id HAVING count(*) = 1"
    known = "SELECT subject_id FROM person_grouping"
    query = "SELECT min(subject_id::text) AS one FROM backtest_decision WHERE subject_id"
    rows = await lived.rows(f"{query} IN ({merged}) UNION ALL {query} NOT IN ({known})")
    gone = [row["one"] for row in rows]

    await lived.tell([erase(one, END + DAY + timedelta(hours=n)) for n, one in enumerate(gone)])

    query = "SELECT 1 FROM backtest_decision WHERE subject_id = ANY(CAST(:gone AS uuid[]))"
    assert await lived.rows(query, gone=gone) == []
    after = await backtested(lived, "welcome", BEGIN, END)
    assert after["result"]["people"] < before["result"]["people"]
    assert await lived.rows(query, gone=gone) == []
    assert {one: await differing(lived, one) for one in HARD} == {one: set() for one in HARD}
    assert orjson.dumps(after["result"]).find(gone[0].encode()) == -1
