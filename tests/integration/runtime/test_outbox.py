"""What follows from events is said once they are applied, in order, under ids that repeat."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from rapport_events import codec
from rapport_events.envelope import Envelope, Record, event_key
from rapport_runtime import outbox
from rapport_runtime.kafka import make_consumer, make_producer
from rapport_runtime.outbox import add, derived_id, relay, relay_once
from rapport_runtime.subscription import Derived, Subscription, run_subscription
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.integration.runtime.conftest import World
from tests.support.events import NOON, days, happened, new_subject
from tests.support.fixtures import MakeTopic
from tests.support.toy import toy, visits


def follows(cause: Record, rule: str, topic: str) -> Derived:
    return Derived(
        cause=cause.key,
        rule=rule,
        topic=topic,
        source="rapport/toy",
        type="lifecycle.stage_changed.v1",
        time=cause.envelope.time,
        data={"stage": rule},
        subject=cause.envelope.subject,
        attributes={"causationid": cause.envelope.id},
    )


def deriving(world: World, target: str) -> Subscription:
    async def apply(_: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        return [follows(record, rule, target) for record in batch for rule in ("a", "b")]

    return replace(toy("p", world.topic), apply=apply)


async def read_all(world: World, topic: str, number: int) -> list[ConsumerRecord]:
    async with make_consumer(world.settings, None) as consumer:
        place = TopicPartition(topic, 0)
        consumer.assign([place])
        consumer.seek(place, 0)
        return [await consumer.getone() for _ in range(number)]


def decoded(record: ConsumerRecord) -> Envelope:
    return codec.decode(record.value)


async def test_derived_events_are_published_in_the_order_of_their_causes(
    world: World, topic: MakeTopic
) -> None:
    target = await topic(1)
    subject = new_subject()
    causes = [happened("page.viewed", subject) for _ in range(20)]
    until = await world.publish(causes)
    await run_subscription(deriving(world, target), world.resources, until=until)

    async with make_producer(world.settings) as producer:
        published = await relay_once(world.engine, producer)

    records = await read_all(world, target, 40)
    envelopes = [decoded(record) for record in records]
    assert published == 40
    assert [it.causationid for it in envelopes] == [c.envelope.id for c in causes for _ in "ab"]
    assert [it.id for it in envelopes] == [str(derived_id(c.key, r)) for c in causes for r in "ab"]
    assert {record.key for record in records} == {subject.encode()}
    assert dict(records[0].headers)["ce_type"] == b"lifecycle.stage_changed.v1"
    assert envelopes[0].time == NOON
    assert await world.rows("SELECT count(*) FROM outbox") == [(0,)]


async def test_what_waits_to_be_said_is_stored_with_all_that_belongs_to_it(world: World) -> None:
    cause = happened("page.viewed", new_subject())
    told = [
        follows(cause, "a", "topic.one"),
        follows(cause, "b", "topic.two")._replace(source="/b\u00fcro", time=NOON + days(1)),
        follows(cause, "c", "topic.one")._replace(
            subject=None, data={"stage": "\u6f22", "x": None}
        ),
    ]

    async with world.engine.begin() as tx:
        await add(tx, told)

    rows: Sequence[Any] = await world.rows(
        "SELECT topic, key, value, headers FROM outbox ORDER BY id"
    )
    assert [row[0] for row in rows] == ["topic.one", "topic.two", "topic.one"]
    for (_, key, value, headers), event in zip(rows, told, strict=True):
        envelope, event_id = codec.decode(value), str(derived_id(event.cause, event.rule))
        owner = event.subject or event_key(event.source, event_id).hex()
        assert key == owner.encode()
        assert (envelope.id, envelope.source, envelope.time) == (event_id, event.source, event.time)
        assert (envelope.subject, envelope.causationid) == (event.subject, cause.envelope.id)
        assert headers == [
            *("content-type", "application/cloudevents+json"),
            *("ce_id", event_id),
            *("ce_type", event.type),
            *("ce_source", event.source),
            *("ce_time", event.time.isoformat()),
        ]
    assert bytes(codec.decode(rows[2][2]).data) == '{"stage":"\u6f22"}'.encode()


async def test_in_a_rebuild_nothing_is_said(world: World, topic: MakeTopic) -> None:
    silent = replace(world.resources, emit=False)

    until = await world.publish(visits(5))
    await run_subscription(deriving(world, await topic(1)), silent, until=until)

    assert await world.rows("SELECT count(*) FROM outbox") == [(0,)]


async def test_what_follows_from_a_batch_that_failed_is_not_said(
    world: World, topic: MakeTopic
) -> None:
    target = await topic(1)
    attempts = 0

    async def apply(tx: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        nonlocal attempts
        attempts += 1
        await add(tx, [follows(record, "early", target) for record in batch])
        if attempts == 1:
            await tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return ()

    subscription = replace(toy("p", world.topic), apply=apply)
    await run_subscription(subscription, world.resources, until=await world.publish(visits(5)))

    assert await world.rows("SELECT count(*) FROM outbox") == [(5,)]


async def test_only_one_relay_publishes_at_a_time(world: World, topic: MakeTopic) -> None:
    target = await topic(1)
    until = await world.publish(visits(30))
    await run_subscription(deriving(world, target), world.resources, until=until)

    async with make_producer(world.settings) as one, make_producer(world.settings) as other:
        published = await asyncio.gather(
            *(relay_once(world.engine, producer) for producer in (one, other) * 3)
        )

    assert sum(published) == 60
    assert await world.rows("SELECT count(*) FROM outbox") == [(0,)]


async def test_a_relay_that_dies_after_publishing_says_the_same_again(
    world: World, topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    class DiedError(Exception):
        pass

    def die(name: str) -> None:
        if name == "after_outbox_publish":
            raise DiedError

    target = await topic(1)
    until = await world.publish(visits(3))
    await run_subscription(deriving(world, target), world.resources, until=until)

    async with make_producer(world.settings) as producer:
        with monkeypatch.context() as patch:
            patch.setattr("rapport_runtime.outbox.failpoint", die)
            with pytest.raises(DiedError):
                await relay_once(world.engine, producer)
        await relay_once(world.engine, producer)

    ids = [decoded(record).id for record in await read_all(world, target, 12)]
    assert ids[:6] == ids[6:]


async def test_the_relay_publishes_what_comes_until_it_is_stopped(
    world: World, topic: MakeTopic
) -> None:
    target = await topic(1)
    stop = asyncio.Event()
    relaying = asyncio.create_task(relay(world.settings, world.engine, stop))

    until = await world.publish(visits(4))
    await run_subscription(deriving(world, target), world.resources, until=until)
    records = await read_all(world, target, 8)
    stop.set()
    await relaying

    assert len({decoded(record).id for record in records}) == 8


async def test_what_was_committed_leaves_at_once_when_the_relay_hears_of_it(
    world: World, topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "_IDLE_SECONDS", 60)
    target, stop, news = await topic(1), asyncio.Event(), asyncio.Event()
    relaying = asyncio.create_task(relay(world.settings, world.engine, stop, news))
    cause = happened("page.viewed", new_subject())

    for number, rule in enumerate("ab", 1):
        async with world.engine.begin() as tx:
            await add(tx, [follows(cause, rule, target)])
        news.set()
        async with asyncio.timeout(20):
            records = await read_all(world, target, number)

    stop.set()
    news.set()
    await relaying
    assert len(records) == 2


async def test_the_relay_waits_for_a_broker_that_is_away(
    world: World, topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = await topic(1)
    until = await world.publish(visits(2))
    await run_subscription(deriving(world, target), world.resources, until=until)
    starts = 0
    start = AIOKafkaProducer.start

    async def refuse_twice(producer: AIOKafkaProducer) -> None:
        nonlocal starts
        starts += 1
        if starts <= 2:
            raise ConnectionRefusedError
        await start(producer)

    monkeypatch.setattr(AIOKafkaProducer, "start", refuse_twice)
    stop = asyncio.Event()
    relaying = asyncio.create_task(relay(world.settings, world.engine, stop))
    records = await read_all(world, target, 4)
    stop.set()
    await relaying

    assert len(records) == 4
