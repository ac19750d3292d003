"""Feedback workers that are killed while they ask: nobody is asked twice, nobody is forgotten.

Everybody who is eligible is told of once: asked, or why not. Whoever is one person with others is
asked once, however their cases are spread over subjects, partitions and workers.
"""

import asyncio
import base64
import os
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from uuid import uuid4

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from rapport_cli.stack.broker import Broker
from rapport_cli.stack.topics import create_topics
from rapport_events.codec import decode
from rapport_events.envelope import Envelope, Record
from rapport_events.topics import CUSTOMERS, ENGAGEMENT, FEEDBACK, INTERACTIONS
from rapport_feedback.definitions import go_live, save_draft
from rapport_feedback.domain.definition import Definition
from rapport_feedback.domain.eligible import survey_id
from rapport_privacy.keyring import Keyring
from rapport_privacy.master import MasterKey
from rapport_privacy.migrations import migrate as migrate_keyring
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.chaos.fleet import Fleet, chaos_settings, fleet
from tests.support.feedback_house import prepare_feedback
from tests.support.fixtures import MakeDatabase
from tests.support.privacy import resolved
from tests.support.surveys import after_case, in_customers, resolved_ticket

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SEED = 20261122
PARTITIONS = 4
PEOPLE = 30
DEATHS = 22
PATIENCE_SECONDS = 90.0
DYING_SECONDS = 90.0
FAILPOINTS = (
    "after_decide_commit",
    "before_take_due",
    "after_lock_persons",
    "before_decide_commit",
    "before_apply",
    "before_db_commit",
    "after_db_commit",
    "before_outbox_publish",
    "after_outbox_publish",
)
TOPICS = [topic.name for topic in (INTERACTIONS, CUSTOMERS, FEEDBACK, ENGAGEMENT)]


class Town:
    """Its people, two by two one person, and what happens to them."""

    def __init__(self, broker: Broker, subjects: Sequence[str]) -> None:
        self._broker = broker
        self._chance = random.Random(SEED)
        self.subjects = subjects
        self.eligible: set[str] = set()

    def person(self, subject: str) -> int:
        return self.subjects.index(subject) // 2

    async def publish(self, *records: Record) -> None:
        """Some of it twice, each on any partition: more than a key would ever let happen."""
        async with AIOKafkaProducer(bootstrap_servers=self._broker.bootstrap) as producer:
            for record in records:
                for _ in range(self._chance.choice((1, 1, 2))):
                    partition = self._chance.randrange(PARTITIONS)
                    await producer.send(record.topic, record.value, partition=partition)
            await producer.flush()

    async def merge(self) -> None:
        pairs = zip(self.subjects[::2], self.subjects[1::2], strict=True)
        merges = [in_customers("customer.merged", one, from_subject=other) for one, other in pairs]
        await self.publish(*merges)

    async def resolve(self, cases: int) -> None:
        """Some more cases, each of somebody."""
        at, records = datetime.now(UTC) - timedelta(hours=2), []
        for _ in range(cases):
            subject, ticket = self._chance.choice(self.subjects), f"T-{uuid4()}"
            anchor = f"ticket:{ticket}"
            self.eligible.add(survey_id("after_case", "after_case", subject, anchor))
            records.append(resolved_ticket(subject, at, ticket))
        await self.publish(*records)

    async def told(self) -> list[Envelope]:
        """All that the service told, as any reader finds it."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._broker.bootstrap, auto_offset_reset="earliest"
        )
        places = [TopicPartition(FEEDBACK.name, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        await consumer.start()
        try:
            ends, found = await consumer.end_offsets(places), []
            while any([await consumer.position(place) < ends[place] for place in places]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += [decode(record.value) for record in records]
            return found
        finally:
            await consumer.stop()


async def kill_again_and_again(workers: Fleet, town: Town) -> int:
    """How often: at each failpoint, or at any moment when that was not reached."""
    deaths, slots = 0, [await workers.start(slot) for slot in range(2)]
    while deaths < DEATHS:
        slot = deaths % 2
        await workers.kill9(slots[slot])
        name = FAILPOINTS[deaths // 2 % len(FAILPOINTS)]
        slots[slot] = await workers.start(slot, RAPPORT_FAILPOINTS=f"{name}:0.5")
        await town.resolve(8)
        await workers.death(slots[slot], 6)
        await workers.kill9(slots[slot])
        deaths += 2
        slots[slot] = await workers.start(slot)
    await start_afresh(workers, slots)
    return deaths


async def die_of_the_mistake(workers: Fleet, bug: str) -> int:
    """Both can die of it, so that whichever finds something to do does."""
    slots = [await workers.start(slot, RAPPORT_FAILPOINTS=f"{bug}:1.0") for slot in range(2)]
    dying = [asyncio.ensure_future(workers.death(pid, DYING_SECONDS)) for pid in slots]
    await asyncio.wait(dying, return_when=asyncio.FIRST_COMPLETED)
    deaths = sum(workers.deaths[pid].done() for pid in slots)
    await start_afresh(workers, slots)
    await asyncio.gather(*dying)
    return deaths


async def start_afresh(workers: Fleet, slots: Sequence[int]) -> None:
    for slot, pid in enumerate(slots):
        await workers.kill9(pid)
        await workers.start(slot)


async def until_all_is_told(engine: AsyncEngine, wanted: int) -> None:
    """Or until nothing more comes."""
    deadline = monotonic() + PATIENCE_SECONDS
    query = text("""
        SELECT (SELECT count(*) FROM invitation WHERE state <> 'waiting'),
            (SELECT count(*) FROM outbox)
    """)
    while monotonic() < deadline:
        async with engine.connect() as connection:
            settled, waiting = (await connection.execute(query)).one()
        if settled == wanted and waiting == 0:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"{settled} of {wanted} were settled, {waiting} wait in the outbox")


@pytest.mark.parametrize("bug", ["", "told_apart", "alone"])
async def test_workers_that_die_ask_nobody_twice_and_forget_nobody(
    own_broker: Broker, new_database: MakeDatabase, tmp_path: Path, bug: str
) -> None:
    database, keys = await new_database(prepare_feedback), await new_database(migrate_keyring)
    master = base64.b64encode(os.urandom(32)).decode()
    keyring = await Keyring.open(keys, MasterKey.from_base64(master))
    people = [await resolved(keyring, user_id=uuid4().hex) for _ in range(PEOPLE)]
    town = Town(own_broker, [str(one.subject) for one in people])
    await keyring.close()
    await create_topics(own_broker.bootstrap, TOPICS, partitions=PARTITIONS)
    engine = create_async_engine(database)
    async with engine.begin() as tx:
        await save_draft(tx, Definition.model_validate(after_case()), "test")
        await go_live(tx, "after_case", 1, datetime.now(UTC) - timedelta(days=1))
    await town.merge()
    await town.resolve(40)

    async with fleet(
        chaos_settings(own_broker, database),
        "",
        tmp_path / "log",
        module="tests.chaos.feedback_worker",
        FEEDBACK_BUG=bug,
        RAPPORT_KEYRING__URL=keys,
        RAPPORT_KEYRING__MASTER_KEY=master,
        RAPPORT_KEYS_FILE=str(tmp_path / "keys"),
        RAPPORT_ASKING__QUIET_FROM="00:00",
        RAPPORT_ASKING__QUIET_UNTIL="00:00",
        RAPPORT_ASKING__DECIDE_SECONDS="0.02",
    ) as workers:
        if bug == "told_apart":
            deaths = await die_of_the_mistake(workers, bug)
        else:
            deaths = await kill_again_and_again(workers, town)
        await until_all_is_told(engine, len(town.eligible))
        told = {fact.id: fact for fact in await town.told()}
    await engine.dispose()

    by_type: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for fact in told.values():
        survey = orjson.loads(bytes(fact.data))["survey"]
        by_type[fact.type].append((survey, str(fact.subject)))
    sent, actions = by_type["survey.sent.v1"], by_type["action.requested.v1"]
    asked = Counter(town.person(subject) for _, subject in sent)
    outcomes = sorted(survey for survey, _ in sent + by_type["survey.not_invited.v1"])
    print(f"\nfeedback: bug={bug} deaths={deaths} eligible={len(town.eligible)} sent={len(sent)}")  # noqa: T201
    is_whole = outcomes == sorted(town.eligible) and sorted(actions) == sorted(sent)
    is_once = max(asked.values(), default=1) == 1
    assert (is_whole, is_once) == (bug != "told_apart", bug != "alone")
