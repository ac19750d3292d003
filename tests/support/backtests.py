"""Back-tests over the API, as somebody would ask for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx2
from rapport_personalization.main import backtests_component

from tests.support.events import NOON, happened, new_subject
from tests.support.personalization_house import Callers, House

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
