"""What is not the events' fault is waited for, and changes nothing until it is over."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from rapport_events.envelope import Record
from rapport_runtime.subscription import Derived, run_subscription
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.integration.runtime.conftest import World
from tests.support.toy import once, toy, visits, write_effects

Trouble = Callable[[AsyncConnection, str], Awaitable[None]]

RAISE = "DO $$ BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '{state}'; END $$"


async def raises(tx: AsyncConnection, state: str) -> None:
    await tx.execute(text(RAISE.format(state=state)))


async def loses_its_connection(tx: AsyncConnection, _: str) -> None:
    await tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


async def takes_too_long(tx: AsyncConnection, _: str) -> None:
    await tx.execute(text("SET LOCAL statement_timeout = '20ms'"))
    await tx.execute(text("SELECT pg_sleep(1)"))


async def meets_a_dead_network(_: AsyncConnection, __: str) -> None:
    raise TimeoutError


@pytest.mark.parametrize(
    ("trouble", "state"),
    [
        (raises, "40P01"),
        (raises, "40001"),
        (raises, "55P03"),
        (raises, "53100"),
        (raises, "57P01"),
        (loses_its_connection, ""),
        (takes_too_long, ""),
        (meets_a_dead_network, ""),
    ],
)
async def test_a_batch_that_meets_trouble_is_applied_once_when_it_is_over(
    world: World,
    trouble: Trouble,
    state: str,
) -> None:
    records = visits(50)
    attempts = 0

    async def apply(tx: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        nonlocal attempts
        attempts += 1
        await write_effects(tx, "p", batch)
        if attempts <= 3:
            await trouble(tx, state)
        return ()

    subscription = replace(toy("p", world.topic), apply=apply)
    await run_subscription(subscription, world.resources, until=await world.publish(records))

    assert attempts > 3
    assert await world.effects("p") == once(records)
    assert await world.rows("SELECT count(*) FROM parked_event") == [(0,)]


async def test_a_batch_that_is_too_large_for_its_time_is_made_smaller(world: World) -> None:
    records = visits(1_000)
    sizes = []

    async def apply(tx: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        sizes.append(len(batch))
        if len(batch) > 200:
            await takes_too_long(tx, "")
        await write_effects(tx, "p", batch)
        return ()

    subscription = replace(toy("p", world.topic), apply=apply)
    await run_subscription(subscription, world.resources, until=await world.publish(records))

    assert max(sizes) > 200
    assert await world.effects("p") == once(records)


async def test_a_wrong_statement_is_a_bug_and_not_waited_for(world: World) -> None:
    async def apply(tx: AsyncConnection, _: Sequence[Record]) -> Sequence[Derived]:
        await tx.execute(text("SELECT no_such_column"))
        return ()

    subscription = replace(toy("p", world.topic), apply=apply)
    with pytest.raises(Exception, match="no_such_column"):
        await run_subscription(subscription, world.resources, until=await world.publish(visits(1)))


async def test_a_fetch_that_never_returns_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    getmany = AIOKafkaConsumer.getmany
    clients = []

    async def hang_in_the_first_client(
        consumer: AIOKafkaConsumer, *places: TopicPartition, **options: int
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        if consumer not in clients:
            clients.append(consumer)
        if len(clients) == 1:
            await asyncio.Event().wait()
        return dict(await getmany(consumer, *places, **options))

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", hang_in_the_first_client)
    records = visits(20)
    worker = world.settings.worker.model_copy(update={"stall_seconds": 6.0})
    settings = world.settings.model_copy(update={"worker": worker})
    resources = replace(world.resources, settings=settings)
    await run_subscription(toy("p", world.topic), resources, until=await world.publish(records))

    assert len(clients) == 2
    assert await world.effects("p") == once(records)
