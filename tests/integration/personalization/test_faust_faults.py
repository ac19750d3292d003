"""Faust's known faults, each shown to be there, and to do no harm behind our own positions."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from rapport_cli.stack.broker import Broker
from rapport_cli.stack.topics import create_topics
from rapport_events.envelope import Record
from rapport_personalization.faust_app import App, make_app, run_app
from rapport_personalization.worker import Shop, work
from rapport_runtime.subscription import Derived
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.integration.personalization.test_worker import TOPICS
from tests.support.events import happened
from tests.support.fixtures import MakeDatabase, MakeTopic
from tests.support.personalization_house import Callers, Databases, House, open_house
from tests.support.publish import publish_bytes

PATIENCE = 100.0
LOOK_AGAIN = 0.1
MANY = 5


@pytest.fixture
async def house(
    broker: Broker, new_database: MakeDatabase, callers: Callers
) -> AsyncIterator[House]:
    await create_topics(broker.bootstrap, TOPICS, partitions=2)
    async with open_house(await Databases.make(new_database), callers, broker) as opened:
        yield opened


@pytest.fixture
async def shop(house: House, topic: MakeTopic) -> Shop:
    """With a topic of models, and a group, of its own."""
    models = replace(house.shop.models, name=f"models-{uuid4().hex[:8]}", topics=(await topic(1),))
    return replace(house.shop, models=models)


async def tell_models(broker: Broker, shop: Shop, number: int = MANY) -> None:
    fitted = [
        happened("model.fitted", None, model="bgnbd", parameters={"r": float(one)})
        for one in range(number)
    ]
    pairs = [(None, one.value) for one in fitted]
    await publish_bytes(broker.bootstrap, shop.models.topics[0], pairs, partition=0)


async def committed(broker: Broker, shop: Shop) -> int:
    """From where plain Faust would go on."""
    place = TopicPartition(shop.models.topics[0], 0)
    async with AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap,
        group_id=f"plain-{shop.models.name}",
        enable_auto_commit=False,
    ) as consumer:
        consumer.assign([place])
        return await consumer.committed(place) or 0


async def known(house: House) -> list[float]:
    rows = await house.rows("SELECT parameters FROM model")
    return sorted(row["parameters"]["r"] for row in rows)


async def work_until(shop: Shop, house: House, number: int) -> None:
    """The worker, until so many models are known; raises what ends it."""
    stop = asyncio.Event()
    task = asyncio.create_task(work(shop, stop))
    for _ in range(int(PATIENCE / LOOK_AGAIN)):
        if len(await known(house)) >= number or task.done():
            break
        await asyncio.sleep(LOOK_AGAIN)
    stop.set()
    await asyncio.wait_for(task, PATIENCE)


async def test_an_event_whose_agent_raised_is_not_lost(
    house: House, shop: Shop, broker: Broker
) -> None:
    fallen: list[int] = []

    async def stumble(tx: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        if not fallen and any(one.offset >= 2 for one in batch):
            fallen.append(batch[0].offset)
            raise RuntimeError("a bug")
        return await shop.models.apply(tx, batch)

    await tell_models(broker, shop)
    stumbling = replace(shop, models=replace(shop.models, apply=stumble))

    with pytest.raises(RuntimeError, match="a bug"):
        await work_until(stumbling, house, MANY)
    before = await known(house)
    await work_until(shop, house, MANY)

    assert len(before) < MANY
    assert await known(house) == [0.0, 1.0, 2.0, 3.0, 4.0]


async def test_faust_itself_forgets_an_event_whose_agent_raised(
    house: House, shop: Shop, broker: Broker
) -> None:
    """If this fails, Faust has been mended."""
    await tell_models(broker, shop)
    seen: list[int] = []

    def listening(*, stumbles: bool) -> App:
        app = make_app(f"plain-{shop.models.name}", house.settings)
        topic = app.topic(shop.models.topics[0], key_type=bytes, value_type=bytes)

        @app.agent(topic, name=f"plain-{shop.models.name}")
        async def listen(stream: object) -> None:
            async for event in stream.events():  # type: ignore[attr-defined]  # faust's
                if stumbles and event.message.offset == 2:
                    raise RuntimeError("a bug")
                seen.append(event.message.offset)

        return app

    async def listen_until(last: int, *, stumbles: bool) -> None:
        stop = asyncio.Event()
        task = asyncio.create_task(run_app(listening(stumbles=stumbles), stop, _nothing_to_drain))
        try:
            async with asyncio.timeout(PATIENCE):
                while last not in seen or await committed(broker, shop) <= last:  # noqa: ASYNC110 - Faust tells nobody
                    await asyncio.sleep(LOOK_AGAIN)
        finally:
            stop.set()
            await task

    await listen_until(MANY - 1, stumbles=True)
    # Whatever it had not forgotten comes before this.
    await tell_models(broker, shop, 1)
    await listen_until(MANY, stumbles=False)

    assert 2 not in seen


async def test_what_faust_committed_past_is_read_nevertheless(
    house: House, shop: Shop, broker: Broker
) -> None:
    await tell_models(broker, shop)
    place = TopicPartition(shop.models.topics[0], 0)
    async with AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap, group_id=shop.models.name, enable_auto_commit=False
    ) as consumer:
        consumer.assign([place])
        await consumer.commit({place: 4})

    await work_until(shop, house, MANY)

    assert await known(house) == [0.0, 1.0, 2.0, 3.0, 4.0]


async def test_what_is_unreadable_is_parked_and_the_rest_goes_on(
    house: House, shop: Shop, broker: Broker
) -> None:
    pairs = [(None, b"not json")]
    await publish_bytes(broker.bootstrap, shop.models.topics[0], pairs, partition=0)
    await tell_models(broker, shop, 2)

    await work_until(shop, house, 2)

    query = "SELECT code FROM parked_event WHERE projector = :name"
    parked = await house.rows(query, name=shop.models.name)
    assert [row["code"] for row in parked] == ["not_json"]
    assert await known(house) == [0.0, 1.0]


async def _nothing_to_drain() -> None:
    return
