"""Metrics workers that are killed in the middle of the worked example: every number is exact.

Every event is in the log twice, anywhere: events of one ticket, or of one customer, come to both
workers at the same time, which is more than a key would ever let happen.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from time import monotonic

import pytest
from aiokafka import AIOKafkaProducer
from rapport_cli.stack.broker import Broker
from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS
from rapport_metrics.consumer import happening
from rapport_runtime.progress import read_positions
from rapport_runtime.settings import Settings
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.chaos.fleet import Fleet, chaos_settings, fleet
from tests.support.fixtures import MakeDatabase, MakeTopic
from tests.support.kpi_example import IS_PRESENT, happenings, lines
from tests.support.kpi_memory import Memory
from tests.support.kpi_records import records
from tests.support.kpi_rows import Held, in_database, in_memory
from tests.support.metrics_house import prepare_metrics

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not IS_PRESENT, reason="the worked example is not here"),
]

SEED = 20261122
PARTITIONS = 4
KILLS = 6
FAILPOINTS = ("before_apply", "after_apply", "before_db_commit", "after_db_commit")
PATIENCE_SECONDS = 150.0

Ends = dict[tuple[str, int], int]


@pytest.fixture
async def chaos(broker: Broker, new_database: MakeDatabase) -> Settings:
    return chaos_settings(broker, await new_database(prepare_metrics))


@pytest.fixture
async def engine(chaos: Settings) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(chaos.database.url)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="module")
def told() -> Sequence[Record]:
    return list(records(happenings(lines())))


@pytest.fixture(scope="module")
def wanted(told: Sequence[Record]) -> Held:
    counted = (one for one in map(happening, told) if one is not None)
    return in_memory(Memory().take_all(counted, batch=1_000))


async def publish_twice(
    settings: Settings, told: Sequence[Record], interactions: str, customers: str
) -> Ends:
    """Where each partition ends then."""
    chance, ends = random.Random(SEED), Counter[tuple[str, int]]()
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka.bootstrap, acks="all") as producer:
        again = [chance.randrange(len(told)) for _ in told]
        order = sorted([*enumerate(told), *zip(again, told, strict=True)], key=lambda one: one[0])
        for _, record in order:
            topic = customers if record.topic == CUSTOMERS.name else interactions
            place = topic, chance.randrange(PARTITIONS)
            await producer.send(place[0], record.value, partition=place[1])
            ends[place] += 1
        await producer.flush()
    return dict(ends)


async def until_level(engine: AsyncEngine, projector: str, ends: Ends) -> None:
    deadline = monotonic() + PATIENCE_SECONDS
    while monotonic() < deadline:
        positions = await read_positions(engine, projector)
        if all(positions.get(place, 0) >= end for place, end in ends.items()):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the workers did not come to the end of the log")


async def kill_again_and_again(workers: Fleet, slots: list[int]) -> int:
    """Deaths: some at a random moment, one at each failpoint."""
    chance, deaths = random.Random(SEED), 0
    for number in range(KILLS):
        await asyncio.sleep(chance.uniform(0.1, 0.6))
        slot = number % len(slots)
        await workers.kill9(slots[slot])
        deaths += 1
        armed = f"{FAILPOINTS[number % len(FAILPOINTS)]}:0.3"
        slots[slot] = await workers.start(slot, RAPPORT_FAILPOINTS=armed)
        if await workers.death(slots[slot], 5) is not None:
            deaths += 1
            slots[slot] = await workers.start(slot)
    for slot, pid in enumerate(slots):
        await workers.kill9(pid)
        slots[slot] = await workers.start(slot)
    return deaths


@pytest.mark.parametrize("bug", ["", "M5", "unlocked"])
async def test_two_workers_that_die_count_everything_once(
    chaos: Settings,
    engine: AsyncEngine,
    topic: MakeTopic,
    told: Sequence[Record],
    wanted: Held,
    tmp_path: Path,
    bug: str,
) -> None:
    names = await topic(PARTITIONS), await topic(PARTITIONS)
    ends = await publish_twice(chaos, told, *names)
    options = {
        "RAPPORT_WORKER__BATCH": "150",
        "RAPPORT_SEEDED_BUG" if bug.startswith("M") else "METRICS_BUG": bug,
    }
    log, deaths = tmp_path / "log", 0
    async with fleet(
        chaos, ",".join(names), log, module="tests.chaos.metrics_worker", **options
    ) as workers:
        slots = [await workers.start(slot) for slot in range(2)]
        if not bug:
            deaths = await kill_again_and_again(workers, slots)
        await until_level(engine, workers.environment["TOY_NAME"], ends)
    found = await in_database(engine)
    async with engine.connect() as connection:
        parked = await connection.scalar(text("SELECT count(*) FROM parked_event"))

    unlike = found.unlike(wanted)
    print(f"\nmetrics: bug={bug} deaths={deaths} unlike={unlike}")  # noqa: T201
    assert (unlike != 0) is bool(bug)
    assert deaths >= (0 if bug else KILLS)
    assert parked == 0
