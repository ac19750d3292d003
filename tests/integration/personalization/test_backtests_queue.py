"""Back-tests that wait, are cancelled, get lost, or cannot be asked for."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from rapport_personalization import claims
from rapport_personalization.backtester import work_off
from rapport_personalization.backtests import MOST_OPEN, Backtest
from rapport_personalization.claims import LOST
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.integration.personalization.conftest import Open
from tests.support.backtests import ASKED, DAY, PERIOD, ask, call, ended, orders, read, running
from tests.support.events import NOON
from tests.support.personalization_house import Callers, House


async def test_one_that_is_cancelled_is_not_run(house: House, callers: Callers) -> None:
    await orders(house, 2)
    waits, runs = await ask(house, callers), await ask(house, callers)

    told = await call(house, callers, "POST", f"/v1/backtests/{waits}:cancel")
    again = await call(house, callers, "POST", f"/v1/backtests/{waits}:cancel")
    await work_off(house.settings)
    late = await call(house, callers, "POST", f"/v1/backtests/{runs}:cancel")

    assert (told.status_code, told.json()["state"]) == (200, "cancelled")
    assert (again.status_code, again.json()["state"]) == (200, "cancelled")
    assert (await read(house, callers, waits))["state"] == "cancelled"
    assert (late.status_code, late.json()["code"]) == (409, "backtest_ended")
    assert (await read(house, callers, runs))["state"] == "done"


async def test_one_that_is_cancelled_while_it_runs_ends_and_leaves_nothing(
    house: House, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    await orders(house, 2)
    runs, waits = await ask(house, callers), await ask(house, callers)
    advance, told = claims.advance, []

    async def cancelled_meanwhile(
        tx: AsyncConnection, task: Backtest, share: float, events: int, seconds: float
    ) -> bool:
        if task.id == runs:
            told.append(await call(house, callers, "POST", f"/v1/backtests/{runs}:cancel"))
        return await advance(tx, task, share, events, seconds)

    monkeypatch.setattr(claims, "advance", cancelled_meanwhile)
    await work_off(house.settings)

    assert [(one.status_code, one.json()["state"]) for one in told] == [(200, "cancelled")]
    stopped = await read(house, callers, runs)
    assert (stopped["state"], stopped["attempts"]) == ("cancelled", 1)
    assert "result" not in stopped
    found = await house.rows("SELECT DISTINCT backtest::text AS id FROM backtest_decision")
    assert [one["id"] for one in found] == [waits]
    assert (await read(house, callers, waits))["state"] == "done"


async def test_one_whose_process_is_killed_for_the_third_time_has_failed(
    opened: Open, callers: Callers
) -> None:
    async with opened(failpoints="after_backtest_progress:1") as house:
        await house.install(since=NOON - 900 * DAY)
        await orders(house, 2)
        id_ = await ask(house, callers)
        await house.execute("UPDATE backtest SET attempts = 2")

        async with running(house):
            told = await ended(house, callers, id_)

    assert (told["state"], told["attempts"], told["reason"]) == ("failed", 3, LOST)


async def test_one_that_was_lost_is_begun_again_before_those_that_wait(
    house: House, callers: Callers
) -> None:
    await orders(house, 2)
    waits, lost = await ask(house, callers), await ask(house, callers)
    query = "UPDATE backtest SET state = 'running', attempts = 1 WHERE id = CAST(:id AS uuid)"
    await house.execute(query, id=lost)

    await work_off(house.settings)

    first, second = await read(house, callers, lost), await read(house, callers, waits)
    assert (first["state"], first["attempts"]) == ("done", 2)
    assert first["ended_at"] <= second["started_at"]
    assert first["result"]["people"] == 2


async def test_those_of_a_trigger_are_listed_the_newest_first(
    house: House, callers: Callers
) -> None:
    ids = [await ask(house, callers) for _ in range(3)]
    await ask(house, callers, "win_back")

    path = "/v1/triggers/thanks/backtests"
    first = (await call(house, callers, "GET", f"{path}?limit=2")).json()
    rest = (await call(house, callers, "GET", f"{path}?cursor={first['next_cursor']}")).json()

    listed = [one["id"] for one in first["backtests"] + rest["backtests"]]
    assert (listed, rest["next_cursor"]) == (ids[::-1], None)
    assert {one["state"] for one in first["backtests"]} == {"queued"}


async def test_only_so_many_wait_at_once(house: House, callers: Callers) -> None:
    for _ in range(MOST_OPEN):
        await ask(house, callers)

    told = await call(house, callers, "POST", "/v1/triggers/thanks/backtests", json=ASKED)

    assert (told.status_code, told.json()["code"]) == (429, "too_many_backtests")
    assert told.headers["retry-after"]


@pytest.mark.parametrize(
    ("trigger", "asked", "status", "field"),
    [
        ("thanks", {"version": 99}, 404, None),
        ("nothing", {}, 404, None),
        ("Thanks!", {}, 422, "/id"),
        ("thanks", {"version": 0}, 422, "/version"),
        ("thanks", {"version": "1"}, 422, "/version"),
        ("thanks", {"from": PERIOD["to"], "to": PERIOD["from"]}, 422, ""),
        ("thanks", {"from": PERIOD["to"]}, 422, ""),
        ("thanks", {"from": "2019-01-01T00:00:00Z"}, 422, ""),
        ("thanks", {"from": "yesterday"}, 422, "/from"),
        ("thanks", {"from": "2026-01-01T00:00:00"}, 422, "/from"),
        ("thanks", {"from": "2026-01-01T00:00:00[Mars/Olympus]"}, 422, "/from"),
        ("thanks", {"to": (datetime.now(UTC) + DAY).isoformat()}, 422, "/to"),
        ("thanks", {"sample": 0}, 422, "/sample"),
        ("thanks", {"sample": 1.01}, 422, "/sample"),
        ("thanks", {"sample": "NaN"}, 422, "/sample"),
        ("thanks", {"share": 0.5}, 422, "/share"),
    ],
)
async def test_what_cannot_be_asked_for(
    house: House, callers: Callers, trigger: str, asked: dict[str, object], status: int, field: str
) -> None:
    path = f"/v1/triggers/{trigger}/backtests"

    told = await call(house, callers, "POST", path, json={**ASKED, **asked})

    assert told.status_code == status, told.text
    if status == 422:
        assert [one["pointer"] for one in told.json()["errors"]] == [field]
    assert await house.rows("SELECT 1 FROM backtest") == []


async def test_whoever_may_only_read_starts_and_cancels_none(
    house: House, callers: Callers
) -> None:
    id_ = await ask(house, callers)
    path = "/v1/triggers/thanks/backtests"

    refused = [
        await call(house, callers, "POST", path, "analyst", json=ASKED),
        await call(house, callers, "POST", f"/v1/backtests/{id_}:cancel", "analyst"),
        await call(house, callers, "GET", path, "agent"),
        await call(house, callers, "GET", f"/v1/backtests/{id_}", "agent"),
        await call(house, callers, "GET", f"/v1/backtests/{id_}/decisions", "agent"),
    ]
    unknown = await call(house, callers, "GET", f"/v1/backtests/{uuid4()}")
    no_id = await call(house, callers, "GET", "/v1/backtests/one")

    assert {one.status_code for one in refused} == {403}
    assert (unknown.status_code, unknown.json()["code"]) == (404, "backtest_not_found")
    assert no_id.status_code == 422
