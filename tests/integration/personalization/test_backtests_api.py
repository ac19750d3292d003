"""Asking for back-tests, and the process that runs them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from rapport_personalization.backtester import work_off
from rapport_personalization.backtests import MOST_OPEN
from rapport_personalization.claims import LOST
from rapport_personalization.main import backtests_component

from tests.integration.personalization.conftest import Open
from tests.support.events import NOON, happened, new_subject
from tests.support.personalization_house import Callers, House
from tests.support.waiting import cart

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PATIENCE = 120.0
PERIOD = {"from": (NOON - 30 * DAY).isoformat(), "to": (NOON + 30 * DAY).isoformat()}
ASKED = {"version": 1, **PERIOD}


async def call(
    house: House,
    callers: Callers,
    method: str,
    path: str,
    who: str = "marketer",
    *,
    json: object = None,
    text: str | None = None,
) -> httpx2.Response:
    headers = {"authorization": f"Bearer {callers.keys[who]}"}
    if text is not None:
        headers["content-type"] = "application/yaml"
        return await house.client.request(method, path, headers=headers, content=text.encode())
    return await house.client.request(method, path, headers=headers, json=json)


async def ask(house: House, callers: Callers, trigger: str = "thanks", **more: object) -> str:
    """The id of a new one."""
    path = f"/v1/triggers/{trigger}/backtests"
    told = await call(house, callers, "POST", path, json={**ASKED, **more})
    assert told.status_code == 202, told.text
    id_: str = told.json()["id"]
    assert told.headers["location"] == f"/v1/backtests/{id_}"
    return id_


async def read(house: House, callers: Callers, id_: str, part: str = "") -> dict[str, Any]:
    told = await call(house, callers, "GET", f"/v1/backtests/{id_}{part}", "analyst")
    assert told.status_code == 200, told.text
    document: dict[str, Any] = told.json()
    return document


async def ended(house: House, callers: Callers, id_: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while True:
            told = await read(house, callers, id_)
            if told["state"] not in {"queued", "running"}:
                return told
            await asyncio.sleep(0.1)


@asynccontextmanager
async def running(house: House) -> AsyncIterator[None]:
    """The part of the API's process that starts another one for the back-tests."""
    stop = asyncio.Event()
    task = asyncio.create_task(backtests_component(house.settings, house.resources)(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, PATIENCE)


async def orders(house: House, people: int) -> list[str]:
    """As many customers with an order each, an hour apart."""
    customers = [new_subject() for _ in range(people)]
    for n, person in enumerate(customers):
        bought = {"order": f"o-{n}", "amount": 900, "currency": "EUR"}
        at = NOON + n * HOUR
        await house.tell(
            [happened("order.placed", person, at, identifiedby="email", fields=bought)]
        )
    return customers


async def test_a_back_test_runs_beside_the_service_and_tells_what_it_found(
    house: House, callers: Callers
) -> None:
    customers = await orders(house, 5)
    await house.execute("UPDATE trigger_step SET at = :at", at=NOON - 90 * DAY)
    await house.tell([happened("order.shipped", customers[0], NOON + 2 * HOUR, order="o-0")])
    await house.decide(NOON + 8 * HOUR)

    async with running(house):
        told = await ended(house, callers, await ask(house, callers))

    result = told["result"]
    assert (told["state"], told["progress"], told["attempts"]) == ("done", 1.0, 1)
    assert (told["events"], told["reason"]) == (6, None)
    assert (result["basis"], result["people"], result["contacted"]) == ("in_force", 5, 5)
    assert (result["outcomes"], result["channels"]) == ({"sent": 5}, {"email": 5})
    assert result["agreement"] == {"same": 5}
    assert [(one["day"], one["outcomes"]) for one in result["days"]] == [
        ("2026-03-01", {"sent": 5})
    ]
    assert (len(result["hours"]), result["peak"]["sent"]) == (5, 1)
    overlap = [{"trigger": "shipped", "within_24h": 1, "same_day": 1}]
    assert (result["overlapping"], result["overlap"]) == (1, overlap)
    assert [one["outcome"] for one in told["samples"]] == ["sent"] * 3
    assert {gate["name"] for gate in told["samples"][0]["gates"]} >= {"no_consent", "cooldown"}


async def test_whom_it_would_have_spoken_to_is_listed_page_by_page(
    house: House, callers: Callers
) -> None:
    customers = await orders(house, 5)
    refund = {"order": "o-3", "refund": "r", "amount": 900, "currency": "EUR"}
    at = NOON + 3.5 * HOUR
    await house.tell([happened("order.refunded", customers[3], at, fields=refund)])
    id_ = await ask(house, callers)
    await work_off(house.settings)

    first = await read(house, callers, id_, "/decisions?limit=2")
    second = await read(house, callers, id_, f"/decisions?limit=9&cursor={first['next_cursor']}")
    stopped = await read(house, callers, id_, "/decisions?outcome=cancelled")

    everybody = [one["customer"] for one in first["decisions"] + second["decisions"]]
    assert everybody == customers
    assert second["next_cursor"] is None
    assert [(one["customer"], one["gate"]) for one in stopped["decisions"]] == [
        (customers[3], "cancelled")
    ]
    other = f"/v1/backtests/{id_}/decisions?outcome=sent&cursor={first['next_cursor']}"
    assert (await call(house, callers, "GET", other)).status_code == 400


async def test_a_draft_is_tried_as_if_it_had_been_in_force_for_ever(
    house: House, callers: Callers
) -> None:
    await orders(house, 3)
    draft = {
        "id": "later", "rank": 50, "kind": "service", "delay": "20d", "template": "thanks",
        "on": {"event": "order.placed", "key": "order"}, "channels": ["email"],
        "offer": {"kind": "percent", "value": 5, "code": "unique", "budget": 2},
    }  # fmt: skip
    put = await call(house, callers, "PUT", "/v1/triggers/later", json=draft)
    assert put.status_code == 201, put.text
    period = {"from": (NOON + DAY).isoformat(), "to": (NOON + 40 * DAY).isoformat()}

    id_ = await ask(house, callers, "later", **period)
    none_yet = await ask(house, callers, "later", **{**period, "to": (NOON + 9 * DAY).isoformat()})
    await work_off(house.settings)

    told = await read(house, callers, id_)
    assert (told["result"]["basis"], told["result"]["agreement"]) == ("as_if", {})
    assert told["result"]["outcomes"] == {"sent": 2, "no_budget": 1}
    found = (await read(house, callers, id_, "/decisions"))["decisions"]
    assert [one["outcome"] for one in found] == ["sent", "sent", "no_budget"]
    assert (await read(house, callers, none_yet))["result"]["outcomes"] == {}


async def test_what_was_told_late_was_not_known_before(house: House, callers: Callers) -> None:
    ada, bob = new_subject(), new_subject()
    for person, late in ((ada, 0 * HOUR), (bob, 3 * HOUR)):
        bought = {"order": f"o-{person}", "amount": 900, "currency": "EUR"}
        refund = {"order": f"o-{person}", "refund": "r", "amount": 900, "currency": "EUR"}
        at = NOON + HOUR / 2
        await house.tell(
            [
                happened("order.placed", person, NOON, identifiedby="email", fields=bought),
                happened("order.refunded", person, at, told=at + late, fields=refund),
            ]
        )

    id_ = await ask(house, callers)
    await work_off(house.settings)

    found = (await read(house, callers, id_, "/decisions"))["decisions"]
    assert {one["customer"]: one["outcome"] for one in found} == {ada: "cancelled", bob: "sent"}


async def test_a_part_of_the_people_is_the_same_part_each_time(
    house: House, callers: Callers
) -> None:
    await orders(house, 40)
    ids = [await ask(house, callers, sample=share) for share in (0.3, 0.3, 0.8)]
    await work_off(house.settings)

    pages = [await read(house, callers, id_, "/decisions") for id_ in ids]

    few, again, most = [{one["customer"] for one in page["decisions"]} for page in pages]
    assert few == again
    assert few < most
    assert 0 < len(few) < 40


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


async def test_a_cart_that_another_version_decided_on_is_judged_anew(
    house: House, callers: Callers
) -> None:
    ada = await house.person(email=f"{uuid4()}@example.com")
    consent = {"channel": "email", "purpose": "marketing"}
    agreed = happened("consent.granted", ada, NOON - DAY, identifiedby="email", fields=consent)
    await house.tell([agreed, cart(ada, 0 * HOUR)])
    await house.decide(NOON + 5 * HOUR)
    path = "/v1/triggers/abandoned_cart"
    source: str = (await call(house, callers, "GET", path)).json()["source"]
    slower = source.replace("delay: 4h", "delay: 9h")
    assert (await call(house, callers, "PUT", path, text=slower)).status_code == 201

    id_ = await ask(house, callers, "abandoned_cart", version=2)
    await work_off(house.settings)

    (found,) = (await read(house, callers, id_, "/decisions"))["decisions"]
    assert found["send_at"] == "2026-03-01T21:00:00.000Z"
