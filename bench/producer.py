"""What the producer costs: CPU per event and throughput, against aiokafka's own `send()`.

The same 20,000 events of 600 bytes with four headers, on one embedded broker, for: batches of
100 and of 1 by EventProducer (published by 1, 16 and 128 tasks at once), the same one request
at a time (tasks that call `send_batch()` for the same partitions at once starve each other
until aiokafka gives up), and `send()` for every event. CPU is this process's, so it is what an
API server would pay; the broker is another process.
"""

import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import uvloop
from aiokafka import AIOKafkaProducer
from rapport_cli.stack.broker import open_broker
from rapport_cli.stack.topics import create_topics
from rapport_runtime.delivery import Limits, Outgoing, deliver
from rapport_runtime.kafka import make_producer
from rapport_runtime.metrics import Metrics
from rapport_runtime.producer import EventProducer
from rapport_runtime.settings import Settings

from bench.report import percentile, save, spread, table
from bench.workload import entries

EVENTS = 20_000
RUNS = 5
PARTITIONS = 8

Publish = Callable[[Sequence[Outgoing]], Awaitable[object]]


def records() -> list[Outgoing]:
    return [
        Outgoing(
            entry.key,
            entry.value,
            [
                ("content-type", b"application/cloudevents+json"),
                ("ce_id", entry.id.encode()),
                ("ce_type", b"page.viewed.v1"),
                ("ce_source", entry.source.encode()),
            ],
        )
        for entry in islice(entries(EVENTS), EVENTS)
    ]


async def play(
    publish: Publish, events: Sequence[Outgoing], size: int, at_once: int
) -> list[float]:
    """Publish everything in batches of `size` by `at_once` tasks; how long each batch took."""
    batches = iter([events[start : start + size] for start in range(0, len(events), size)])
    took: list[float] = []

    async def publisher() -> None:
        for batch in batches:
            started = time.perf_counter()
            await publish(batch)
            took.append(time.perf_counter() - started)

    await asyncio.gather(*(publisher() for _ in range(at_once)))
    return took


async def measure(
    publish: Publish, events: Sequence[Outgoing], size: int, at_once: int
) -> dict[str, dict[str, float]]:
    rates, cpu, p99 = [], [], []
    for _ in range(RUNS):
        wall, used = time.perf_counter(), _cpu_seconds()
        took = await play(publish, events, size, at_once)
        rates.append(len(events) / (time.perf_counter() - wall))
        cpu.append((_cpu_seconds() - used) / len(events) * 1e6)
        p99.append(percentile(took, 0.99) * 1000)
    return {"events_per_s": spread(rates), "cpu_us_per_event": spread(cpu), "p99_ms": spread(p99)}


async def compare(settings: Settings, topic: str) -> dict[str, Any]:
    events = records()
    producer = EventProducer(settings, topic, Metrics("bench"))
    plain = make_producer(settings)
    await producer.start()
    await plain.start()
    ways: list[tuple[str, Publish, int, int]] = [
        *(("EventProducer", producer.publish, 100, at_once) for at_once in (1, 16)),
        *(("EventProducer", producer.publish, 1, at_once) for at_once in (16, 128)),
        ("not coalesced", _deliver(plain, topic), 100, 16),
        ("not coalesced", _deliver(plain, topic), 1, 128),
        ("send()", _send(plain, topic), 100, 16),
        ("send()", _send(plain, topic), 1, 128),
    ]
    try:
        await play(producer.publish, events[:2_000], 100, 16)
        return {
            f"{name}, batches of {size}, {at_once} at once": await measure(
                publish, events if size > 1 else events[:5_000], size, at_once
            )
            for name, publish, size, at_once in ways
        }
    finally:
        await producer.stop()
        await plain.stop()


def _deliver(client: AIOKafkaProducer, topic: str) -> Publish:
    turn, limits = asyncio.Lock(), Limits()

    async def publish(batch: Sequence[Outgoing]) -> None:
        async with turn:
            fates = await deliver(client, topic, batch, limits, 30)
        if None in fates:
            raise TimeoutError

    return publish


def _send(client: AIOKafkaProducer, topic: str) -> Publish:
    async def publish(batch: Sequence[Outgoing]) -> None:
        futures = [
            await client.send(topic, item.value, item.key, headers=item.headers) for item in batch
        ]
        await asyncio.gather(*futures)

    return publish


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        async with open_broker("embedded", Path(scratch)) as broker:
            topic = f"bench_{uuid4().hex[:8]}"
            await create_topics(broker.bootstrap, [topic], partitions=PARTITIONS)
            settings = Settings.model_validate(
                {
                    "kafka": {"bootstrap": broker.bootstrap, "idempotence": broker.idempotent},
                    "database": {"url": "postgresql+asyncpg://unused"},
                    "spool": {"dir": Path(scratch) / "spool"},
                }
            )
            figures = await compare(settings, topic)
    save("producer", "python -m bench.producer", figures)
    rows = [
        {
            "way": name,
            "events/s": round(found["events_per_s"]["median"]),
            "CPU µs/event": round(found["cpu_us_per_event"]["median"], 1),
            "p99 ms": round(found["p99_ms"]["median"], 1),
        }
        for name, found in figures.items()
    ]
    sys.stdout.write(table(rows) + "\n")


if __name__ == "__main__":
    uvloop.run(main())
