"""The Faust worker over a real broker: from an event in the log to what is to be done about it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import orjson
import pytest
from aiokafka import AIOKafkaConsumer
from rapport_cli.stack.broker import Broker
from rapport_cli.stack.topics import create_topics
from rapport_events import codec
from rapport_events.envelope import Envelope, Record
from rapport_events.topics import CUSTOMERS, ENGAGEMENT, FEEDBACK, INTERACTIONS, METRICS
from rapport_personalization import jobs, nightly
from rapport_personalization import worker as personalization_worker
from rapport_personalization.main import worker_component
from rapport_personalization.worker import work
from rapport_runtime.serve import Component

from tests.support.events import happened
from tests.support.fixtures import MakeDatabase, MakeTopic
from tests.support.personalization_house import Callers, Databases, House, open_house
from tests.support.privacy import an_email
from tests.support.publish import publish

PATIENCE = 120.0
LATE = timedelta(seconds=20)
"""A look a second would do; a machine that does much else may be slow to look."""

TOPICS = [topic.name for topic in (INTERACTIONS, CUSTOMERS, FEEDBACK, ENGAGEMENT, METRICS)]
HOUR = timedelta(hours=1)
AWAKE = {"control": 0, "quiet_from": "00:00", "quiet_until": "00:00"}


@pytest.fixture
async def house(
    broker: Broker, new_database: MakeDatabase, callers: Callers
) -> AsyncIterator[House]:
    await create_topics(broker.bootstrap, TOPICS, partitions=2)
    databases = await Databases.make(new_database)
    async with open_house(databases, callers, broker, policies=AWAKE) as opened:
        await opened.install(since=now() - timedelta(hours=1))
        yield opened


@asynccontextmanager
async def working(worker: Component) -> AsyncIterator[None]:
    """The worker beside the block; if it fails, so does the test."""
    stop = asyncio.Event()
    task = asyncio.create_task(worker(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, PATIENCE)


async def said_of(
    broker: Broker, person: str, wanted: int
) -> Sequence[tuple[Envelope, dict[str, Any]]]:
    """What is said of a person on our topic, read from its beginning, until there is so much."""
    found: list[tuple[Envelope, dict[str, Any]]] = []
    async with (
        AIOKafkaConsumer(
            ENGAGEMENT.name, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest"
        ) as consumer,
        asyncio.timeout(PATIENCE),
    ):
        async for record in consumer:
            envelope = codec.decode(record.value)
            if envelope.subject == person:
                found.append((envelope, orjson.loads(bytes(envelope.data))))
            if len(found) >= wanted:
                break
    return found


async def until(house: House, query: str, **values: object) -> None:
    """The query finds something."""
    async with asyncio.timeout(PATIENCE):
        while not await house.rows(query, **values):  # noqa: ASYNC110 - the worker tells nobody
            await asyncio.sleep(0.05)


def now() -> datetime:
    return datetime.now(UTC)


def shipped(person: str, order: str) -> Record:
    return happened("order.shipped", person, now(), order=order, identifiedby="email")


async def test_a_shipped_order_is_told_of_at_once(house: House, broker: Broker) -> None:
    ada = await house.person(email=an_email())
    async with working(worker_component(house.settings, house.resources)):
        await publish(broker.bootstrap, INTERACTIONS.name, [shipped(ada, "o-1")])

        told = await said_of(broker, ada, 2)

    assert [envelope.type for envelope, _ in told] == ["decision.made.v1", "action.requested.v1"]
    assert told[1][1]["template"] == "on_its_way"


async def test_whoever_waited_while_nothing_happened_is_answered_when_their_time_comes(
    house: House, broker: Broker, topic: MakeTopic
) -> None:
    ada = await house.person(email=an_email())
    shop, log = house.shop, await topic(1)
    models = replace(shop.models, name=f"models-{uuid4().hex[:8]}", topics=(await topic(1),))
    alone = replace(shop, models=models, projection=replace(shop.projection, topics=(log,)))
    async with working(partial(work, alone)):
        await publish(
            broker.bootstrap, log, [happened("product.viewed", ada, now(), product="p-1")]
        )
        # At work from here on, so that they do wait.
        await until(house, "SELECT 1 FROM moment")
        soon = now() + timedelta(seconds=4)
        order = happened("order.placed", ada, soon - HOUR, order="o-2", identifiedby="email")
        await publish(broker.bootstrap, log, [order])

        await said_of(broker, ada, 2)

    (thanked,) = await house.decisions(ada)
    assert thanked["send_at"] == soon
    assert soon <= thanked["decided_at"] < soon + LATE


async def test_the_hour_of_the_calendar_and_of_the_night_strikes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faust's crontab, set to every minute: at its start, after the look of whoever has begun."""
    struck: dict[str, list[datetime]] = {"calendar": [], "night": []}
    look, opens = personalization_worker._look_ahead, nightly.open_if_due

    async def looks(*given: Any) -> None:  # noqa: ANN401 - as it is called
        struck["calendar"].append(now())
        await look(*given)

    async def opening(*given: Any) -> None:  # noqa: ANN401 - as it is called
        struck["night"].append(now())
        await opens(*given)

    monkeypatch.setattr(personalization_worker, "_HOURLY", "* * * * *")
    monkeypatch.setattr(personalization_worker, "_look_ahead", looks)
    monkeypatch.setattr(jobs, "_HOURLY", "* * * * *")
    monkeypatch.setattr(nightly, "open_if_due", opening)

    def has_struck(times: list[datetime]) -> bool:
        # In another minute: who begins at the end of one may hear its end beside the beginning.
        return bool(times) and times[-1].minute != times[0].minute

    async with working(worker_component(house.settings, house.resources)), asyncio.timeout(150):
        while not all(map(has_struck, struck.values())):  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.2)

    for times in struck.values():
        assert all(one.second < LATE.seconds for one in times[1:])
