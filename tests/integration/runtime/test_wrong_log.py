"""A log that is not the one that was read before is refused before anything is written."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete
from aiokafka.structs import TopicPartition
from rapport_cli.stack.topics import create_topics
from rapport_runtime.subscription import (
    LostEventsError,
    PartitionCountError,
    WrongLogError,
    run_subscription,
)

from tests.integration.runtime.conftest import World
from tests.support.toy import once, toy, visits


@asynccontextmanager
async def admin(world: World) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=world.settings.kafka.bootstrap)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def re_create(world: World) -> None:
    async with admin(world) as client:
        await client.delete_topics([world.topic])
    await create_topics(world.settings.kafka.bootstrap, [world.topic], partitions=4)


@pytest.mark.parametrize("published_since", [0, 200, 2_000])
async def test_a_re_created_topic_is_refused_however_long_it_is(
    world: World, published_since: int
) -> None:
    records = visits(400)
    subscription = toy("p", world.topic)
    until = await world.publish(records)
    await run_subscription(subscription, world.resources, until=until)

    await re_create(world)
    await world.publish(visits(published_since))
    further = {place: offset + 1 for place, offset in until.items()}
    with pytest.raises(WrongLogError, match=world.topic):
        await run_subscription(subscription, world.resources, until=further)

    assert await world.effects("p") == once(records)


@pytest.mark.apache
async def test_events_that_retention_removed_unread_are_named(world: World) -> None:
    subscription = toy("p", world.topic)
    values = [record.value for record in visits(100)]
    await run_subscription(
        subscription, world.resources, until=await world.publish_bytes(values[:20], partition=1)
    )

    until = await world.publish_bytes(values[20:], partition=1)
    async with admin(world) as client:
        await client.delete_records({TopicPartition(world.topic, 1): RecordsToDelete(70)})
    with pytest.raises(LostEventsError, match="has lost offsets 20 to 69") as halted:
        await run_subscription(subscription, world.resources, until=until)

    assert (halted.value.first, halted.value.last) == (20, 69)
    assert len(await world.effects("p")) == 20


@pytest.mark.apache
async def test_a_log_that_lost_its_beginning_is_read_only_when_that_is_allowed(
    world: World,
) -> None:
    records = visits(10)
    until = await world.publish_bytes([record.value for record in records], partition=0)
    async with admin(world) as client:
        await client.delete_records({TopicPartition(world.topic, 0): RecordsToDelete(4)})

    with pytest.raises(LostEventsError, match="has lost offsets 0 to 3"):
        await run_subscription(toy("whole", world.topic), world.resources, until=until)
    await run_subscription(toy("rest", world.topic, whole=False), world.resources, until=until)

    assert await world.effects("rest") == once(records[4:])


@pytest.mark.apache
async def test_read_events_that_retention_removed_are_no_loss(world: World) -> None:
    subscription = toy("p", world.topic)
    values = [record.value for record in visits(30)]
    until = await world.publish_bytes(values[:20], partition=1)
    await run_subscription(subscription, world.resources, until=until)

    async with admin(world) as client:
        await client.delete_records({TopicPartition(world.topic, 1): RecordsToDelete(20)})
    until = await world.publish_bytes(values[20:], partition=1)
    await run_subscription(subscription, world.resources, until=until)

    assert len(await world.effects("p")) == 30


@pytest.mark.apache
async def test_another_number_of_partitions_is_refused(world: World) -> None:
    subscription = toy("p", world.topic)
    until = await world.publish(visits(10))
    await run_subscription(subscription, world.resources, until=until)

    async with admin(world) as client:
        await client.create_partitions({world.topic: NewPartitions(6)})
    with pytest.raises(PartitionCountError, match=r"had 4 partitions .* has 6 now"):
        await run_subscription(subscription, world.resources, until={(world.topic, 5): 1})


@pytest.mark.apache
async def test_offsets_may_have_gaps(world: World) -> None:
    records = visits(40)
    transactions = AIOKafkaProducer(
        bootstrap_servers=world.settings.kafka.bootstrap, transactional_id=f"t-{world.topic}"
    )
    async with transactions as producer:
        for record in records:
            async with producer.transaction():
                place = await producer.send_and_wait(world.topic, record.value, partition=2)

    marker = place.offset + 1
    until = {(world.topic, 2): marker + 1}
    await run_subscription(toy("p", world.topic), world.resources, until=until)

    assert await world.effects("p") == once(records)
    assert await world.rows(
        "SELECT next_offset - anchor_offset, high_watermark FROM projector_offset"
        " WHERE partition = 2"
    ) == [(2, marker + 1)]
