"""Into the log, or onto the disk and then into the log: in order, and each event's place told."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.partitioner import murmur2
from rapport_cli.stack.broker import Broker
from rapport_cli.stack.topics import create_topics
from rapport_runtime.delivery import Outgoing, Placed, TooLarge, discard
from rapport_runtime.kafka import MAX_RECORD_BYTES
from rapport_runtime.partition import partition_of
from rapport_runtime.pending import SPOOLED
from rapport_runtime.producer import EventProducer
from rapport_runtime.segment import parse_frames
from rapport_runtime.spool import SpoolFullError

from tests.support.fixtures import MakeTopic
from tests.support.servers import open_test_broker, own_broker_choice
from tests.support.spooling import numbered, pause, producing, read_numbers, read_places

KEYS = [f"customer-{number}" for number in range(20)]


@pytest.fixture(scope="module")
async def pausable() -> AsyncIterator[Broker]:
    """A broker that these tests pause, one after the other."""
    async with open_test_broker(own_broker_choice()) as broker:
        yield broker


def test_a_key_goes_where_every_kafka_client_puts_it() -> None:
    keys = [b"x" * length for length in range(50)] + [key.encode() for key in KEYS]

    found = [partition_of(key, 12) for key in keys]

    assert found == [(murmur2(key) & 0x7FFFFFFF) % 12 for key in keys]


async def test_each_event_of_a_batch_is_told_its_place(
    broker: Broker, topic: MakeTopic, tmp_path: Path
) -> None:
    name = await topic()
    batch = [record for key in KEYS for record in numbered(key, range(5))]

    async with producing(broker, name, tmp_path) as producer:
        outcomes = await producer.publish(batch)

    assert all(isinstance(outcome, Placed) and outcome.offset >= 0 for outcome in outcomes)
    told = [
        (outcome.partition, outcome.offset, record.key.decode(), int(record.value))
        for outcome, record in zip(outcomes, batch, strict=True)
        if isinstance(outcome, Placed)
    ]
    in_log = await read_places(broker.bootstrap, name)
    assert sorted(told) == in_log


async def test_many_requests_at_once_keep_the_order_of_each_customer(
    broker: Broker, topic: MakeTopic, tmp_path: Path
) -> None:
    name = await topic()

    async with producing(broker, name, tmp_path) as producer:

        async def publish(key: str) -> None:
            for number in range(30):
                await producer.publish(numbered(key, [number]))

        await asyncio.gather(*map(publish, KEYS))

    in_log = await read_numbers(broker.bootstrap, name)
    assert in_log == {key: list(range(30)) for key in KEYS}


async def test_an_event_too_large_for_kafka_is_named_and_the_others_go_on(
    broker: Broker, topic: MakeTopic, tmp_path: Path
) -> None:
    name = await topic()
    huge = Outgoing(b"huge", b"x" * MAX_RECORD_BYTES)

    async with producing(broker, name, tmp_path) as producer:
        first, second, third = await producer.publish(
            [*numbered("a", [1]), huge, *numbered("a", [2])]
        )

    assert isinstance(first, Placed)
    assert isinstance(second, TooLarge)
    assert second.size > second.limit
    assert isinstance(third, Placed)


async def test_a_batch_larger_than_a_kafka_request_is_sent_in_parts(
    broker: Broker, topic: MakeTopic, tmp_path: Path
) -> None:
    name = await topic()
    batch = numbered("a", range(60), size=60_000)

    async with producing(broker, name, tmp_path) as producer:
        outcomes = await producer.publish(batch)

    assert [type(outcome) for outcome in outcomes] == [Placed] * 60
    assert await read_numbers(broker.bootstrap, name) == {"a": list(range(60))}


@pytest.mark.apache
async def test_a_topic_that_takes_less_than_others_is_learnt_from_its_refusals(
    broker: Broker, tmp_path: Path
) -> None:
    name = f"narrow_{uuid4().hex[:12]}"
    limits = {"max.message.bytes": "20000"}
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1, topic_configs=limits)])
    await admin.close()
    wide = numbered("a", [7], size=30_000)

    async with producing(broker, name, tmp_path) as producer:
        await producer.publish([*numbered("a", range(7)), *wide, *numbered("a", [8, 9])])
        await producer.until_direct()
        outcomes = await producer.publish([*wide, *numbered("a", range(10, 600))])

    assert [type(outcome) for outcome in outcomes] == [TooLarge, *[Placed] * 590]
    in_log = await read_numbers(broker.bootstrap, name)
    assert in_log == {"a": [*range(7), *range(8, 600)]}
    assert parse_frames((tmp_path / name / "refused").read_bytes(), 0, 10).records == wide


async def test_a_client_that_has_failed_for_good_is_replaced(
    broker: Broker, topic: MakeTopic, tmp_path: Path
) -> None:
    name = await topic()

    async with producing(broker, name, tmp_path) as producer:
        assert producer._client is not None
        await discard(producer._client)
        outcomes = await producer.publish(numbered("a", [1]))
        await producer.until_direct()
        later = await producer.publish(numbered("a", [2]))

    assert outcomes == [SPOOLED]
    assert isinstance(later[0], Placed)
    assert await read_numbers(broker.bootstrap, name) == {"a": [1, 2]}


async def test_while_kafka_is_away_events_are_taken_and_come_in_order_afterwards(
    pausable: Broker, tmp_path: Path
) -> None:
    await create_topics(pausable.bootstrap, ["away"], partitions=4)

    async with producing(pausable, "away", tmp_path) as producer:
        await producer.publish(numbered("a", [0]))
        pause(pausable)
        started = time.monotonic()
        first = await producer.publish(numbered("a", [1, 2]))
        waited = time.monotonic() - started
        second = await producer.publish(numbered("a", [3]))
        at_once = time.monotonic() - started - waited
        pausable.resume()
        third = await producer.publish(numbered("a", [4]))
        await producer.until_direct()
        fourth = await producer.publish(numbered("a", [5]))

    assert (first, second, third) == ([SPOOLED] * 2, [SPOOLED], [SPOOLED])
    assert isinstance(fourth[0], Placed)
    # The first waits for Kafka, as long as it is given; whoever comes then does not wait for it.
    assert 2.5 < waited < 20
    assert at_once < 2.5
    in_log = await read_numbers(pausable.bootstrap, "away")
    assert list(dict.fromkeys(in_log["a"])) == [0, 1, 2, 3, 4, 5]


async def test_what_the_spool_holds_at_a_start_comes_before_anything_newer(
    pausable: Broker, tmp_path: Path
) -> None:
    await create_topics(pausable.bootstrap, ["restart"], partitions=4)
    async with producing(pausable, "restart", tmp_path) as producer:
        pause(pausable)
        await producer.publish(numbered("a", range(500)))

    pausable.resume()
    async with producing(pausable, "restart", tmp_path) as producer:
        # A start gives up waiting for a broker that is slow: then this one is spooled, too.
        await producer.publish(numbered("a", [500]))
        await producer.until_direct()
        later = await producer.publish(numbered("a", [501]))

    assert isinstance(later[0], Placed)
    in_log = await read_numbers(pausable.bootstrap, "restart")
    assert list(dict.fromkeys(in_log["a"])) == list(range(502))


async def test_a_full_spool_refuses_and_says_when_to_come_again(
    pausable: Broker, tmp_path: Path
) -> None:
    await create_topics(pausable.bootstrap, ["full"], partitions=4)

    async with producing(pausable, "full", tmp_path) as producer:
        pause(pausable)
        await producer.publish(numbered("a", range(140), size=100_000))
        with pytest.raises(SpoolFullError) as refusal:
            await producer.publish(numbered("a", range(140, 280), size=100_000))
        pausable.resume()
        await producer.until_direct()
        # Not all at once: a slow broker must be able to take each part in time.
        again = []
        for start in range(140, 280, 10):
            part = numbered("a", range(start, start + 10), size=100_000)
            again += await producer.publish(part)

    assert 1 <= refusal.value.retry_after <= 5
    assert [type(outcome) for outcome in again] == [Placed] * 140
    in_log = await read_numbers(pausable.bootstrap, "full")
    assert list(dict.fromkeys(in_log["a"])) == list(range(280))


async def test_a_producer_that_stops_leaves_nothing_unanswered(
    broker: Broker, topic: MakeTopic, tmp_path: Path
) -> None:
    name = await topic()

    async with producing(broker, name, tmp_path) as producer:
        waiting = [asyncio.create_task(publish_one(producer, number)) for number in range(50)]
        await asyncio.sleep(0)

    await asyncio.gather(*waiting)
    assert await read_numbers(broker.bootstrap, name) == {"a": list(range(50))}


async def publish_one(producer: EventProducer, number: int) -> None:
    await producer.publish(numbered("a", [number]))
