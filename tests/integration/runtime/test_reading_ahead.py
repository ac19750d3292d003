"""While one batch is applied the next is read; if anything happens, that is thrown away."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby

from rapport_events import codec
from rapport_events.envelope import Envelope, Record
from rapport_runtime.database import create_engine
from rapport_runtime.subscription import Derived, Resources, Subscription, run_subscription
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.integration.runtime.conftest import World
from tests.support.toy import once, resources_for, toy, visits, write_effects

BATCH = 100
WAIT_SECONDS = 60.0

Place = tuple[int, int]


async def comes(condition: Callable[[], bool]) -> bool:
    """Whether it comes to be so, in time."""
    for _ in range(int(WAIT_SECONDS * 100)):
        if condition():
            return True
        await asyncio.sleep(0.01)
    return False


@dataclass
class Worker:
    """Sees what it reads and what it is given; its first batch takes as long as is wanted."""

    topic: str
    resources: Resources
    read: list[str] = field(default_factory=list)
    given: list[list[Place]] = field(default_factory=list)
    first: frozenset[str] = frozenset()
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    trouble: type[Exception] | None = None

    @property
    def subscription(self) -> Subscription:
        return replace(toy("p", self.topic), apply=self.apply, decode=self.decode)

    def decode(self, value: bytes | None) -> Envelope:
        envelope = codec.decode(value)
        self.read.append(envelope.id)
        return envelope

    async def apply(self, tx: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        self.given.append([(record.partition, record.offset) for record in batch])
        await write_effects(tx, "p", batch)
        if len(self.given) == 1:
            self.first = frozenset(record.envelope.id for record in batch)
            await asyncio.wait_for(self.goes_on.wait(), WAIT_SECONDS)
            if self.trouble is not None:
                raise self.trouble
        return ()

    async def read_ahead(self) -> bool:
        """Whether the second batch is read while the first one is applied."""
        return await comes(lambda: len(self.given) == 1 and self.read[-1] not in self.first)

    def fenced(self) -> float | None:
        """Batches that somebody else had applied."""
        return self.resources.metrics.registry.get_sample_value(
            "rapport_toy_batch_failures_total", {"projector": "p", "reason": "fenced"}
        )


@asynccontextmanager
async def at_work(world: World) -> AsyncIterator[Worker]:
    """A worker of the group, in batches so small that there is always a next one.

    It leaves in order, and is never taken for dead while the machine is busy: then partitions
    would move when nobody asked for it.
    """
    few = world.settings.worker.model_copy(update={"batch": BATCH})
    alive = world.settings.kafka.model_copy(update={"session_timeout_ms": 8_000})
    settings = world.settings.model_copy(update={"worker": few, "kafka": alive})
    engine, stop = create_engine(settings), asyncio.Event()
    worker = Worker(world.topic, resources_for(settings, engine))
    running = asyncio.create_task(
        run_subscription(worker.subscription, worker.resources, stop=stop)
    )
    try:
        yield worker
    finally:
        stop.set()
        worker.goes_on.set()
        await running
        await engine.dispose()


async def everything_is_applied(world: World, number: int) -> bool:
    for _ in range(int(WAIT_SECONDS * 20)):
        if len(await world.effects("p")) == number:
            return True
        await asyncio.sleep(0.05)
    return False


def has_no_gaps(places: Sequence[Place]) -> bool:
    """Whether each partition was given from its first event on, one event after the other."""
    return all(
        [offset for _, offset in of_one] == list(range(len(of_one)))
        for _, group in groupby(sorted(places, key=lambda place: place[0]), lambda place: place[0])
        for of_one in [list(group)]
    )


async def test_the_next_batch_is_read_while_one_is_applied(world: World) -> None:
    records = visits(5 * BATCH)
    await world.publish(records)

    async with at_work(world) as worker:
        was_read = await worker.read_ahead()
        worker.goes_on.set()
        done = await everything_is_applied(world, len(records))

    assert (was_read, done, worker.fenced()) == (True, True, None)
    assert await world.effects("p") == once(records)


async def test_what_was_read_ahead_of_a_batch_in_trouble_is_read_again(world: World) -> None:
    records = visits(5 * BATCH)
    await world.publish(records)

    async with at_work(world) as worker:
        worker.trouble = TimeoutError
        was_read = await worker.read_ahead()
        worker.goes_on.set()
        done = await everything_is_applied(world, len(records))

    assert (was_read, done) == (True, True)
    assert has_no_gaps([place for batch in worker.given[1:] for place in batch])
    assert worker.fenced() is None
    assert await world.effects("p") == once(records)


async def test_what_was_read_of_partitions_that_went_is_left_to_who_has_them(world: World) -> None:
    records = visits(12 * BATCH)
    await world.publish(records)

    async with at_work(world) as one:
        was_read = await one.read_ahead()
        async with at_work(world) as other:
            other.goes_on.set()
            shared = await comes(lambda: len(other.resources.progress.positions("p")) == 2)
            theirs = {partition for _, partition in other.resources.progress.positions("p")}
            one.goes_on.set()
            done = await everything_is_applied(world, len(records))
            came_later = {place for batch in one.given[1:] for place, _ in batch}

    assert (was_read, shared, done) == (True, True, True)
    assert not came_later & theirs
    assert await world.effects("p") == once(records)


async def test_who_stops_leaves_what_was_read_ahead_for_the_next_start(world: World) -> None:
    records = visits(5 * BATCH)
    until = await world.publish(records)

    async with at_work(world) as worker:
        was_read = await worker.read_ahead()
    left_behind = await world.effects("p")
    await run_subscription(toy("p", world.topic), world.resources, until=until)

    assert was_read
    assert (len(worker.given), len(left_behind)) == (1, len(worker.first))
    assert await world.effects("p") == once(records)
