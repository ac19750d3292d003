"""Personalization workers that are killed anywhere: everything is decided once, nothing is lost.

What should have come of it is worked out from what stands in the log, and compared with what
stands on our own topic and in the database. No worker is trusted with that.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count as counting
from pathlib import Path
from time import monotonic

import pytest
from aiokafka import AIOKafkaProducer
from rapport_cli.stack.broker import Broker
from rapport_cli.stack.topics import create_topics
from rapport_events.envelope import Record
from rapport_events.topics import ENGAGEMENT

from tests.chaos.fleet import Fleet, chaos_settings, fleet
from tests.chaos.personalization_checker import PARTITIONS, Scene, check, end_of
from tests.support.events import happened
from tests.support.fixtures import MakeDatabase, MakeTopic
from tests.support.personalization_house import (
    MASTER_KEY,
    Callers,
    Databases,
    count,
    open_house,
)
from tests.support.privacy import an_email

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SEED = 20261122
PEOPLE = 30
KILLS = 50
KILLS_A_ROUND = 8
PATIENCE = 180.0
TRIGGERS = Path(__file__).parent / "triggers"
FAILPOINTS = (
    "before_apply", "after_apply", "before_db_commit", "after_db_commit", "before_deciding",
    "before_decisions_commit", "after_decisions_commit", "before_outbox_publish",
    "after_outbox_publish", "before_reaction", "after_reaction",
)  # fmt: skip
PLACES = (*FAILPOINTS, "anywhere", "anywhere")
COME_BY_SECONDS = 12.0
FEED_SECONDS = 0.1
MODULE = "tests.chaos.personalization_worker"


@pytest.fixture
async def scene(
    broker: Broker, new_database: MakeDatabase, topic: MakeTopic, tmp_path: Path
) -> AsyncIterator[Scene]:
    await create_topics(broker.bootstrap, [ENGAGEMENT.name], partitions=PARTITIONS)
    databases, topics = (
        await Databases.make(new_database),
        (await topic(PARTITIONS), await topic(1)),
    )
    async with open_scene(broker, databases, topics, tmp_path) as opened:
        yield opened


@asynccontextmanager
async def open_scene(
    broker: Broker, databases: Databases, topics: tuple[str, str], directory: Path
) -> AsyncIterator[Scene]:
    """`topics`: of the log, and of models."""
    callers, (log, models) = Callers.make(directory), topics
    async with open_house(databases, callers, broker) as house:
        await house.install(TRIGGERS, since=datetime.now(UTC) - timedelta(hours=1))
        yield Scene(
            house=house,
            databases=databases,
            callers=callers,
            settings=chaos_settings(broker, databases.service),
            log=log,
            models=models,
            people=[await house.person(email=an_email()) for _ in range(PEOPLE)],
        )


def environment(scene: Scene) -> dict[str, str]:
    return {
        "RAPPORT_KEYRING__URL": scene.databases.keyring,
        "RAPPORT_KEYRING__MASTER_KEY": MASTER_KEY,
        "RAPPORT_KEYS_FILE": str(scene.callers.keys_file),
        "RAPPORT_POLICIES__QUIET_FROM": "00:00",
        "RAPPORT_POLICIES__QUIET_UNTIL": "00:00",
        "MODELS": scene.models,
        # Both workers, the broker and the database share two cores with whatever else runs.
        "RAPPORT_WORKER__STALL_SECONDS": "60",
    }


def something(scene: Scene, person: str, number: int) -> Record:
    """Of the same number both subjects of a pair tell the same."""
    at = datetime.now(UTC)
    match number % 3:
        case 0:
            return happened("order.shipped", person, at, order=f"o-{number}", identifiedby="email")
        case 1:
            return happened(
                "survey.responded", person, at, survey=f"s-{number}", kind="nps", score=number % 11
            )
        case _:
            cart = f"c-{scene.person(person)[:6]}-{number // 3 % 3}"
            return happened("cart.updated", person, at, cart=cart, value=9, identifiedby="email")


async def feed(scene: Scene, numbers: Iterator[int], stop: asyncio.Event) -> None:
    """Events, some of them twice, and models, until told to stop."""
    chance = random.Random(SEED)
    async with AIOKafkaProducer(
        bootstrap_servers=scene.settings.kafka.bootstrap, acks="all"
    ) as producer:
        while not stop.is_set():
            number, person = next(numbers), chance.choice(scene.people)
            both = [person, scene.pairs[person]] if person in scene.pairs else [person]
            for record in [something(scene, one, number) for one in both]:
                for _ in range(1 + (chance.random() < 0.1)):
                    partition = chance.randrange(PARTITIONS)
                    await producer.send(scene.log, record.value, partition=partition)
            if number % 5 == 0:
                fitted = happened("model.fitted", None, model="bgnbd", parameters={"r": number / 7})
                await producer.send(scene.models, fitted.value)
            await asyncio.sleep(FEED_SECONDS)
        await producer.flush()


async def kill_again_and_again(workers: Fleet, slots: list[int], kills: int) -> Counter[str]:
    """Deaths by where they happened: at a named place if it is come by, or else anywhere."""
    chance, deaths = random.Random(SEED), Counter[str]()
    places = ["anywhere"] * len(slots)
    while deaths.total() < kills:
        slot = deaths.total() % len(slots)
        place = places[slot]
        # Whoever is to die at a place must be given the time to come by it.
        patience = chance.uniform(0.5, 3) if place == "anywhere" else COME_BY_SECONDS
        if await workers.death(slots[slot], patience) is None:
            await workers.kill9(slots[slot])
            place = "anywhere"
        deaths[place] += 1
        places[slot] = PLACES[deaths.total() % len(PLACES)]
        slots[slot] = await workers.start(slot, RAPPORT_FAILPOINTS=f"{places[slot]}:0.5")
    for pid in slots:
        await workers.kill9(pid)
    return deaths


async def until_quiet(scene: Scene, projector: str) -> None:
    """Everything that is in the log has been applied, decided and told, and models are learned."""
    ends = await end_of(scene, scene.log, PARTITIONS)
    (models,) = (await end_of(scene, scene.models, 1)).values()
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline:
        waits = await count(
            scene.databases.service,
            "SELECT (SELECT count(*) FROM candidate) + (SELECT count(*) FROM outbox)"
            " + $2::bigint - (SELECT coalesce(sum(next_offset), 0) FROM projector_offset"
            " WHERE (projector, topic) IN (($1, $3), ($1 || '.models', $4)))",
            (projector, sum(ends.values()) + models, scene.log, scene.models),
        )
        if waits == 0:
            return
        await asyncio.sleep(0.2)
    states = await scene.house.rows(
        "SELECT (SELECT count(*) FROM candidate) AS candidates,"
        " (SELECT count(*) FROM outbox) AS outbox"
    )
    offsets = await scene.house.rows("SELECT * FROM projector_offset")
    raise AssertionError(f"{waits} things still wait: {states} {offsets}")


@dataclass
class Round:
    """Workers killed so often, then left alone until nothing waits."""

    scene: Scene
    workers: Fleet
    numbers: Iterator[int] = field(default_factory=lambda: counting(1))
    deaths: Counter[str] = field(default_factory=Counter)

    async def run(self, kills: int, *, settles: bool) -> list[int]:
        """How the last workers ended."""
        stop = asyncio.Event()
        feeding = asyncio.create_task(feed(self.scene, self.numbers, stop))
        slots = [await self.workers.start(slot) for slot in range(2)]
        self.deaths += await kill_again_and_again(self.workers, slots, kills)
        stop.set()
        await feeding
        slots = [await self.workers.start(slot, STUMBLES="0") for slot in range(2)]
        if settles:
            await until_quiet(self.scene, self.workers.environment["TOY_NAME"])
        else:
            await asyncio.sleep(8)
        return [await self.workers.stop(pid) for pid in slots]


async def test_workers_that_die_anywhere_decide_everything_once(
    scene: Scene, tmp_path: Path
) -> None:
    async with fleet(
        scene.settings, scene.log, tmp_path / "log", MODULE, **environment(scene)
    ) as workers:
        killing = Round(scene, workers)
        ends = await killing.run(KILLS, settles=True)
    wrong, decided = await check(scene)
    parked = await count(scene.databases.service, "SELECT count(*) FROM parked_event")

    print(f"\npersonalization: deaths={dict(killing.deaths)} {decided=} {wrong}")  # noqa: T201
    assert wrong.total == 0
    assert decided > 0
    # Not only between two batches, where nothing can go wrong.
    assert killing.deaths.total() - killing.deaths["anywhere"] >= KILLS // 3
    assert parked == 0
    assert ends == [0, 0]


@pytest.mark.parametrize("bug", ["late", "faust", "M1"])
async def test_a_planted_mistake_is_found_by_killing(
    scene: Scene, tmp_path: Path, bug: str
) -> None:
    """As often as the right code survives it, at most: a mistake needs its moment to show."""
    named = {"RAPPORT_SEEDED_BUG": bug} if bug == "M1" else {"PERSONALIZATION_BUG": bug}
    options = environment(scene) | named | ({"STUMBLES": "0.4"} if bug == "faust" else {})
    async with fleet(scene.settings, scene.log, tmp_path / "log", MODULE, **options) as workers:
        killing = Round(scene, workers)
        for _ in range(KILLS // KILLS_A_ROUND):
            await killing.run(KILLS_A_ROUND, settles=bug != "M1")
            wrong, decided = await check(scene)
            if wrong.total:
                break

    print(f"\npersonalization: {bug=} deaths={dict(killing.deaths)} {decided=} {wrong}")  # noqa: T201
    assert wrong.total > 0
    assert decided > 0
