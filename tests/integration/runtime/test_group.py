"""Workers of one group share the partitions, and take over from each other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import TopicPartition
from rapport_runtime.database import create_engine
from rapport_runtime.kafka import make_consumer
from rapport_runtime.progress import Progress
from rapport_runtime.subscription import Resources, client, run_subscription

from tests.integration.runtime.conftest import World
from tests.support.publish import Positions
from tests.support.toy import once, resources_for, toy, visits

WAIT_SECONDS = 30.0


@asynccontextmanager
async def working(world: World) -> AsyncIterator[Resources]:
    """A worker with a pool and a progress of its own, as in a process of its own."""
    engine = create_engine(world.settings)
    resources = resources_for(world.settings, engine)
    stop = asyncio.Event()
    running = asyncio.create_task(
        run_subscription(toy("p", world.topic), resources, stop=stop), name="worker"
    )
    try:
        yield resources
    finally:
        stop.set()
        await running
        await engine.dispose()


async def applied(world: World, until: Positions) -> bool:
    """Whether somebody, in whichever process, applied everything up to there in time."""
    return await Progress().wait_for(world.engine, "p", until, WAIT_SECONDS)


async def owned(resources: Resources, number: int) -> bool:
    """Whether the worker comes to own so many partitions."""
    for _ in range(int(WAIT_SECONDS * 50)):
        if len(resources.progress.positions("p")) == number:
            return True
        await asyncio.sleep(0.02)
    return False


async def test_workers_share_partitions_and_take_over_from_each_other(world: World) -> None:
    records = visits(900)

    async with working(world) as one:
        alone = await applied(world, await world.publish(records[:300]))
        async with working(world) as other:
            shared = await owned(one, 2) and await owned(other, 2)
            together = await applied(world, await world.publish(records[300:600]))
        alone_again = await owned(one, 4)
        took_over = await applied(world, await world.publish(records[600:]))

    assert (alone, shared, together, alone_again, took_over) == (True,) * 5
    assert await world.effects("p") == once(records)


async def test_who_waits_in_the_workers_process_learns_of_an_event_at_once(world: World) -> None:
    async with working(world) as worker:
        await applied(world, await world.publish(visits(10)))
        until = await world.publish(visits(1))
        reached = await worker.progress.wait_for(world.engine, "p", until, WAIT_SECONDS)
        further = {place: offset + 1 for place, offset in until.items()}
        unreached = await worker.progress.wait_for(world.engine, "p", further, 0.05)

    assert (reached, unreached) == (True, False)


async def level(resources: Resources) -> bool:
    """Whether the worker comes to know that nothing waits in any of its partitions."""
    for _ in range(int(WAIT_SECONDS * 50)):
        waiting = resources.progress.waiting("p")
        if waiting is not None and len(waiting) == 4 and not any(waiting.values()):
            return True
        await asyncio.sleep(0.02)
    return False


async def test_a_worker_knows_what_waits_only_while_it_works(world: World) -> None:
    async with working(world) as worker:
        before = worker.progress.waiting("p")
        await applied(world, await world.publish(visits(10)))
        came_level = await level(worker)

    assert (before, came_level, worker.progress.waiting("p")) == (None, True, None)


async def test_a_stopped_worker_has_shown_its_positions_to_the_group(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Who stops does not wait long for a broker that is slow to take them.
    monkeypatch.setattr(client, "_SHOW_SECONDS", 20.0)
    async with working(world):
        until = await world.publish(visits(50))
        await applied(world, until)

    async with make_consumer(world.settings, "p") as consumer:
        places = [TopicPartition(*place) for place in until]
        consumer.assign(places)
        shown = {tuple(place): await consumer.committed(place) for place in places}
    assert shown == until


async def test_a_worker_that_finds_no_broker_can_be_stopped(world: World) -> None:
    nowhere = world.settings.model_copy(
        update={"kafka": world.settings.kafka.model_copy(update={"bootstrap": "127.0.0.1:1"})}
    )
    stop = asyncio.Event()
    resources = resources_for(nowhere, world.engine)
    running = asyncio.create_task(run_subscription(toy("p", world.topic), resources, stop=stop))
    await asyncio.sleep(0)
    stop.set()

    await asyncio.wait_for(running, 20)
