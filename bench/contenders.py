"""Four ways to keep customer tables level with a log; one process each, so that none helps another.

`python -m bench.contenders NAME BOOTSTRAP TOPIC EVENTS DATABASE_URL` reads the topic from its
beginning until EVENTS events are stored, and prints seconds, events and its memory as JSON.

raw        aiokafka getmany, envelope decode, COPY of timeline rows. No fold, no dedup, no offsets
rapport    the profile projector with everything on
faust      a Faust agent with a Table counting orders and value per customer
one_by_one an aiokafka consumer with one SQLAlchemy transaction per event
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import faust
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition
from rapport_events.codec import decode, decode_data
from rapport_events.envelope import Record, event_key
from rapport_events.wire import OrderPlaced
from rapport_profile import store
from rapport_profile.consumer import SUBSCRIPTION
from rapport_runtime.database import create_engine
from rapport_runtime.metrics import Metrics
from rapport_runtime.serve import tune_collector
from rapport_runtime.settings import Settings
from rapport_runtime.subscription import Resources, run_subscription
from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bench.report import resident_mib

BATCH = 30_000


def settings(bootstrap: str, url: str) -> Settings:
    kafka = {"bootstrap": bootstrap, "fetch_max_wait_ms": 10}
    return Settings.model_validate({"kafka": kafka, "database": {"url": url}})


async def consumer_of(bootstrap: str, topic: str) -> AIOKafkaConsumer:
    """All partitions of the topic, from the beginning."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_bytes=16 << 20,
        max_partition_fetch_bytes=8 << 20,
    )
    await consumer.start()
    numbers = consumer.partitions_for_topic(topic) or set()
    while not numbers:
        await consumer._client.force_metadata_update()  # noqa: SLF001 - the client shows no other way
        numbers = consumer.partitions_for_topic(topic) or set()
    consumer.assign([TopicPartition(topic, number) for number in numbers])
    return consumer


async def raw(bootstrap: str, topic: str, events: int, url: str) -> None:
    engine = create_engine(settings(bootstrap, url))
    consumer = await consumer_of(bootstrap, topic)
    done = 0
    while done < events:
        fetched = await consumer.getmany(timeout_ms=500, max_records=BATCH)
        batch = []
        for place, raws in fetched.items():
            for message in raws:
                envelope = decode(message.value)
                batch.append(
                    Record(
                        topic=SUBSCRIPTION.topics[0],
                        partition=place.partition,
                        offset=message.offset,
                        key=event_key(envelope.source, envelope.id),
                        envelope=envelope,
                        value=message.value,
                    )
                )
        async with engine.begin() as tx:
            await store.append_timeline(tx, batch, SUBSCRIPTION.topics)
        done += len(batch)
    await consumer.stop()
    await engine.dispose()


async def rapport(bootstrap: str, topic: str, _: int, url: str) -> None:
    consumer = await consumer_of(bootstrap, topic)
    ends = await ends_of(consumer)
    await consumer.stop()
    chosen = settings(bootstrap, url)
    engine = create_engine(chosen)
    resources = Resources(settings=chosen, engine=engine, metrics=Metrics("bench"))
    await run_subscription(replace(SUBSCRIPTION, topics=(topic,)), resources, until=ends)
    await engine.dispose()


async def ends_of(consumer: AIOKafkaConsumer) -> dict[tuple[str, int], int]:
    """Where each partition ends, by the high watermark of a fetch."""
    places = consumer.assignment()
    while any(consumer.highwater(place) is None for place in places):
        await consumer.getmany(timeout_ms=200, max_records=1)
    return {(place.topic, place.partition): consumer.highwater(place) for place in places}


async def one_by_one(bootstrap: str, topic: str, events: int, url: str) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(_customer.metadata.create_all)
    consumer = await consumer_of(bootstrap, topic)
    for _ in range(events):
        await _store_one(engine, (await consumer.getone()).value)
    await consumer.stop()
    await engine.dispose()


_customer = Table(
    "customer",
    MetaData(),
    Column("id", Text, primary_key=True),
    Column("orders", Integer),
    Column("value", BigInteger),
    Column("seen", DateTime(timezone=True)),
)


async def _store_one(engine: AsyncEngine, value: bytes) -> None:
    envelope = decode(value)
    data = decode_data(envelope)
    amount = (data.amount or 0) if isinstance(data, OrderPlaced) else 0
    row = insert(_customer).values(
        id=envelope.subject, orders=int(amount > 0), value=amount, seen=envelope.time
    )
    changes = {
        "orders": _customer.c.orders + row.excluded.orders,
        "value": _customer.c.value + row.excluded.value,
        "seen": row.excluded.seen,
    }
    async with engine.begin() as tx:
        await tx.execute(row.on_conflict_do_update(index_elements=["id"], set_=changes))


def faust_table(bootstrap: str, topic: str, events: int) -> None:
    """A Faust worker that reports and ends at the last event."""
    app = faust.App(
        f"bench-{os.getpid()}",
        broker=f"kafka://{bootstrap}",
        store="memory://",
        # It makes one, although it keeps nothing there.
        datadir=tempfile.mkdtemp(prefix="bench-faust-"),
        web_enabled=False,
        topic_partitions=int(os.environ["BENCH_PARTITIONS"]),
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=10,
        broker_heartbeat_interval=3,
    )
    totals = app.Table("totals", default=lambda: [0, 0])
    source = app.topic(topic, value_serializer="raw", key_serializer="raw")

    @app.agent(source)
    async def count(stream: Any) -> None:  # noqa: ANN401 - Faust's stream
        began, done = 0.0, 0
        async for value in stream:
            began = began or time.perf_counter()
            envelope = decode(value)
            data = decode_data(envelope)
            amount = (data.amount or 0) if isinstance(data, OrderPlaced) else 0
            orders, value_so_far = totals[envelope.subject]
            totals[envelope.subject] = [orders + (amount > 0), value_so_far + amount]
            done += 1
            if done == events:
                _report(time.perf_counter() - began, events)
                os._exit(0)  # the worker's own way out takes longer than the measurement

    worker = faust.Worker(app, loglevel="error", override_logging=True, redirect_stdouts=False)
    worker.execute_from_commandline()


CONTENDERS: dict[str, Callable[[str, str, int, str], Awaitable[None]]] = {
    "raw": raw,
    "rapport": rapport,
    "one_by_one": one_by_one,
}


def main(name: str, bootstrap: str, topic: str, events: str, url: str) -> None:
    # As our own workers set it, for each contender.
    tune_collector()
    if name == "faust":
        uvloop.install()
        faust_table(bootstrap, topic, int(events))
    else:
        began = time.perf_counter()
        uvloop.run(_timed(CONTENDERS[name](bootstrap, topic, int(events), url)))
        _report(time.perf_counter() - began, int(events))


def _report(seconds: float, events: int) -> None:
    result = {"seconds": seconds, "events": events, "rss_mib": resident_mib(os.getpid())}
    sys.stdout.write("\n" + json.dumps(result) + "\n")
    sys.stdout.flush()


async def _timed(work: Awaitable[None]) -> None:
    await work


if __name__ == "__main__":
    main(*sys.argv[1:])
