"""Whoever speaks between the server's last word and the end of the connection is to wait."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from rapport_cli.stack.postgres import Postgres
from rapport_runtime.database import driver
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.pool import Snapshot
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from tests.integration.runtime.conftest import World
from tests.support.farewell_proxy import FarewellProxy, farewell_proxy

Speak = Callable[[AsyncConnection], Awaitable[object]]


@pytest.fixture
async def proxy(postgres: Postgres) -> AsyncIterator[FarewellProxy]:
    async with farewell_proxy(postgres.port) as opened:
        yield opened


@pytest.fixture
async def engine(world: World, proxy: FarewellProxy) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(world.engine.url.set(port=proxy.port))
    yield engine
    await engine.dispose()


async def executes(tx: AsyncConnection) -> None:
    await tx.execute(text("SELECT 1"))


async def fetches(tx: AsyncConnection) -> None:
    connection: Snapshot = await driver(tx)
    await connection.fetch("SELECT $1::int", 1)


async def copies(tx: AsyncConnection) -> None:
    columns = ["topic", "partitions"]
    connection = await driver(tx)
    await connection.copy_records_to_table("topic_pin", records=[("t", 4)], columns=columns)


@pytest.mark.parametrize("speak", [executes, fetches, copies])
async def test_a_statement_and_the_rollback_after_it_are_the_environments_fault(
    engine: AsyncEngine, proxy: FarewellProxy, speak: Speak
) -> None:
    faults: list[BaseException] = []

    async def transact() -> None:
        async with engine.begin() as tx:
            await executes(tx)
            await proxy.say_farewell()
            await asyncio.sleep(0.2)
            try:
                await speak(tx)
            except BaseException as error:
                faults.append(error)
                raise

    with pytest.raises(WAITED_FOR) as caught:
        await transact()

    assert [is_environment(one) for one in (*faults, caught.value)] == [True, True]
    assert all(isinstance(one, WAITED_FOR) for one in faults)
