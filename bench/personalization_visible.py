"""From an event in the log to `action.requested` on our topic, at a steady rate.

The whole worker in one process: the common loop, the timers, the outbox. Each event is a parcel
that leaves, of which its customer is told at once.

    python -m bench.personalization_visible [--broker embedded|apache] [--rate 100] [--seconds 20]
"""

import argparse
import asyncio
import random
import sys
import time
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from rapport_cli.stack.topics import create_topics
from rapport_events import codec
from rapport_events.topics import CUSTOMERS, ENGAGEMENT, FEEDBACK, INTERACTIONS, METRICS
from rapport_personalization.worker import Shop, work

from bench.personalization_shop import entry, open_shop, people_of
from bench.report import percentile, save, spread
from bench.servers import Servers, open_servers

PARTITIONS: Final = 4
CUSTOMERS_: Final = 2_000
_WARM_UP_SECONDS: Final = 5
_MOST_WARM_UP_SECONDS: Final = 30
_PATIENCE_SECONDS: Final = 30.0


async def tell(
    producer: AIOKafkaProducer, people: list[str], rate: int, seconds: int, first: int
) -> dict[str, float]:
    """By order: when its parcel's event was acknowledged."""
    told: dict[str, float] = {}
    began, chance = time.perf_counter(), random.Random(first)
    for number in range(first, first + rate * seconds):
        await asyncio.sleep(max(0.0, began + (number - first) / rate - time.perf_counter()))
        one = entry(
            people[number % len(people)], "order.shipped.v1", datetime.now(UTC), number * 20, chance
        )
        told[f"o-{number}"] = time.perf_counter()
        await producer.send(INTERACTIONS.name, one.value, key=one.key)
    await producer.flush()
    return told


async def hear(bootstrap: str, heard: dict[str, float], ready: asyncio.Event) -> None:
    """By order: when its action was on the topic. Only decisions name the order."""
    orders: dict[str, str] = {}
    async with AIOKafkaConsumer(
        ENGAGEMENT.name, bootstrap_servers=bootstrap, fetch_max_wait_ms=5
    ) as consumer:
        await consumer.seek_to_end()
        ready.set()
        async for record in consumer:
            envelope = codec.decode(record.value)
            data = orjson.loads(bytes(envelope.data))
            if envelope.type == "decision.made.v1":
                orders[data["decision"]] = data["anchor"]
            elif envelope.type == "action.requested.v1":
                heard.setdefault(orders.get(data["decision"], ""), time.perf_counter())


async def warm_up(
    producer: AIOKafkaProducer, people: list[str], rate: int, heard: dict[str, float]
) -> None:
    """Until a second's events are all answered by its end: the worker has taken its partitions,
    and what came before that is behind it."""
    for second in range(_MOST_WARM_UP_SECONDS):
        told = await tell(producer, people, rate, 1, second * rate + 1)
        await asyncio.sleep(1)
        if told.keys() <= heard.keys():
            # What runs for the first time takes longer.
            await tell(producer, people, rate, _WARM_UP_SECONDS, 500_000)
            return
    raise SystemExit(f"the worker is not level after {_MOST_WARM_UP_SECONDS} rounds")


async def once(servers: Servers, shop: Shop, rate: int, seconds: int) -> list[float]:
    """Milliseconds, one figure an event."""
    people = await people_of(shop, CUSTOMERS_)
    heard: dict[str, float] = {}
    ready, stop = asyncio.Event(), asyncio.Event()
    worker = asyncio.create_task(work(shop, stop))
    hearing = asyncio.create_task(hear(servers.broker.bootstrap, heard, ready))
    await ready.wait()
    async with AIOKafkaProducer(bootstrap_servers=servers.broker.bootstrap, acks="all") as producer:
        await warm_up(producer, people, rate, heard)
        told = await tell(producer, people, rate, seconds, 1_000_000)
    deadline = time.perf_counter() + _PATIENCE_SECONDS
    for _ in range(int(_PATIENCE_SECONDS * 20)):
        if told.keys() <= heard.keys() or time.perf_counter() > deadline:
            break
        await asyncio.sleep(0.05)
    hearing.cancel()
    stop.set()
    await worker
    await asyncio.gather(hearing, return_exceptions=True)
    if missing := told.keys() - heard.keys():
        raise SystemExit(f"{len(missing)} of {len(told)} events had no action")
    return [(heard[order] - at) * 1_000 for order, at in told.items()]


async def measure(kind: str, rate: int, seconds: int, runs: int) -> dict[str, Any]:
    waits = []
    for run in range(runs):
        async with open_servers(kind) as servers:
            names = [one.name for one in (INTERACTIONS, CUSTOMERS, FEEDBACK, ENGAGEMENT, METRICS)]
            await create_topics(servers.broker.bootstrap, names, partitions=PARTITIONS)
            async with open_shop(servers, f"visible_{run}") as shop:
                waits.append(await once(servers, shop, rate, seconds))
    return {
        "rate_per_second": rate,
        "p50_ms": spread([percentile(wait, 0.50) for wait in waits]),
        "p99_ms": spread([percentile(wait, 0.99) for wait in waits]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", default="embedded")
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    found = uvloop.run(measure(given.broker, given.rate, given.seconds, given.runs))
    sys.stdout.write(f"p50 {found['p50_ms']} ms\np99 {found['p99_ms']} ms\n")
    command = f"python -m bench.personalization_visible --rate {given.rate} --runs {given.runs}"
    save("personalization_visible", command, found)


if __name__ == "__main__":
    main()
