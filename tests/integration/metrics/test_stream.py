"""The headline KPIs live, over a socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from rapport_cli.stack.processes import free_port
from rapport_metrics.board import Board
from rapport_runtime.http.consistency import decode_token
from rapport_runtime.serve import http_component
from rapport_runtime.settings import HttpSettings
from sqlalchemy import text

from tests.support.events import happened, new_subject
from tests.support.live_house import Said, events_of
from tests.support.metrics_house import House

SOON = 60
"""Seconds in which everything comes, on a machine that does much else."""

INTERACTIONS = "rapport.interactions.v1"

_MOVE = text("""
    INSERT INTO projector_offset
        (projector, topic, partition, next_offset, high_watermark, updated_at)
    VALUES ('metrics.v1', 'rapport.interactions.v1', 0, 1, 1, now())
    ON CONFLICT (projector, topic, partition)
    DO UPDATE SET next_offset = projector_offset.next_offset + 1
""")


class Served:
    """A house behind a port of its own."""

    def __init__(self, house: House, port: int) -> None:
        self.house, self.port, self.stop = house, port, asyncio.Event()
        self.serving = asyncio.create_task(
            http_component(house.app, HttpSettings(port=port))(self.stop)
        )

    @property
    def board(self) -> Board:
        board: Board = self.house.app.state.board
        return board

    async def tell_a_ticket(self, channel: str = "email") -> None:
        at = datetime.now(UTC) - timedelta(hours=2)
        ticket = {"ticket": new_subject()}
        await self.house.tell(
            [happened("ticket.created", new_subject(), at, channel=channel, fields=ticket)]
        )
        await self.move()

    async def move(self) -> None:
        async with self.house.resources.engine.begin() as tx:
            await tx.execute(_MOVE)

    def headers(self, caller: str = "analyst") -> dict[str, str]:
        return {"authorization": f"Bearer {self.house.callers.keys[caller]}"}

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[AsyncIterator[Said | str]]:
        base = f"http://127.0.0.1:{self.port}"
        async with (
            httpx2.AsyncClient(base_url=base, timeout=SOON) as client,
            client.stream("GET", "/v1/stream", headers=self.headers()) as answer,
        ):
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield events_of(answer.aiter_lines())


@pytest.fixture
async def served(house: House) -> AsyncIterator[Served]:
    served = Served(house, free_port())
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{served.port}") as client:
        await until(lambda: _answers(client))
    yield served
    served.stop.set()
    await served.serving


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(SOON):
        while not await holds():  # noqa: ASYNC110 - another process has no event for us
            await asyncio.sleep(0.02)


async def _answers(client: httpx2.AsyncClient) -> bool:
    try:
        return (await client.get("/livez")).status_code == 200
    except httpx2.TransportError:
        return False


async def following(said: AsyncIterator[Said | str], event: str) -> Said:
    """The next of this name."""
    async with asyncio.timeout(SOON):
        async for one in said:
            if isinstance(one, Said) and one.event == event:
                return one
    raise AssertionError(f"the stream ended without {event}")


def by_kpi(said: Said) -> Mapping[str, Any]:
    return {one["kpi"]: one for one in said.data["kpis"]}


async def test_a_stream_begins_with_all_headlines_and_then_tells_what_changes(
    served: Served,
) -> None:
    async with served.watching() as first, served.watching() as second:
        hello = by_kpi(await following(first, "hello"))
        await following(second, "hello")
        assert hello["nps"]["value"] is None
        assert hello["backlog_end"]["value"] == 0

        await served.tell_a_ticket()

        for watching in (first, second):
            change = await following(watching, "change")
            changed = by_kpi(change)
            assert changed["backlog_end"]["value"] == 1
            assert "nps" not in changed
            assert change.id is not None
            assert decode_token(change.id) == {(INTERACTIONS, 0): 0}


async def test_who_has_nothing_to_hear_hears_a_heartbeat(served: Served) -> None:
    served.board.heartbeat_seconds = 0.05
    async with served.watching() as said:
        await following(said, "hello")

        assert await anext(said) == ""


async def test_a_stream_is_one_number_a_second_at_most(served: Served) -> None:
    async with served.watching() as said:
        await following(said, "hello")
        clock = asyncio.get_running_loop().time
        began, seen, enough = clock(), 0, asyncio.Event()

        async def count() -> None:
            nonlocal seen
            while True:
                await following(said, "change")
                seen += 1
                if seen == 2:
                    enough.set()

        counting = asyncio.create_task(count())
        async with asyncio.timeout(SOON):
            while clock() - began < 3 or not enough.is_set():
                await served.tell_a_ticket()
        counting.cancel()
        await asyncio.gather(counting, return_exceptions=True)
        took = clock() - began

    # A machine may need more than those seconds for what is told in them.
    assert 2 <= seen <= took + 1


async def test_streams_end_with_the_process_and_say_to_come_again(served: Served) -> None:
    async with served.watching() as said:
        await following(said, "hello")

        served.stop.set()

        end = await following(said, "end")
    assert (end.data["code"], end.data["resume"]) == ("stopping", True)
    assert end.retry is not None
    async with asyncio.timeout(SOON):
        await served.serving


async def test_there_are_so_many_streams_and_no_more(served: Served) -> None:
    served.board.most_streams = 1
    async with served.watching() as said:
        await following(said, "hello")

        refused = await served.house.get("/v1/stream")

        assert (refused.status_code, refused.json()["code"]) == (503, "too_many_streams")


async def test_a_seat_is_free_again_when_a_client_goes(served: Served) -> None:
    served.board.most_streams = 1
    served.board.heartbeat_seconds = 0.05
    for _ in range(3):
        await until(lambda: _sat(served))


async def _sat(served: Served) -> bool:
    try:
        async with served.watching() as said:
            await following(said, "hello")
            return True
    except AssertionError:
        return False


async def test_the_stream_takes_no_parameters(house: House) -> None:
    refused = await house.get("/v1/stream", kpi="nps")

    assert (refused.status_code, refused.json()["code"]) == (422, "validation_failed")
