"""What the consume loop costs, without what a projection does with the events.

The same 100,000 events of 600 bytes in batches of 10,000, replayed from offset 0:

drain   aiokafka `getmany` alone: nothing is decoded
loop    the loop with everything on, dedup by the service (here: none), an `apply` that does nothing
inbox   the same with dedup by the inbox table

CPU is this process's; the difference between `loop` and `drain` is what the loop costs: decode,
event keys, offsets, anchor, transaction, telemetry. Wall time of `inbox` is mostly PostgreSQL.
"""

import argparse
import gc
import sys
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter, process_time
from typing import Any

import structlog
import uvloop
from aiokafka import TopicPartition
from rapport_events.envelope import Record
from rapport_runtime.database import create_engine
from rapport_runtime.kafka import make_consumer
from rapport_runtime.metrics import Metrics
from rapport_runtime.serve import tune_collector
from rapport_runtime.settings import Settings
from rapport_runtime.subscription import Derived, Resources, Sifted, Subscription, run_subscription
from rapport_runtime.tables import runtime_tables
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncConnection

from bench.report import save, spread, table
from bench.servers import Servers, fill, open_servers
from bench.workload import entries

TOPIC = "bench.loop"
PARTITIONS = 4
BATCH = 10_000

Contender = Callable[[Settings, dict[tuple[str, int], int], int], Awaitable[None]]


async def drain(settings: Settings, until: dict[tuple[str, int], int], _: int) -> None:
    left = sum(until.values())
    async with make_consumer(settings, None) as consumer:
        places = [TopicPartition(*place) for place in until]
        consumer.assign(places)
        for place in places:
            consumer.seek(place, 0)
        while left > 0:
            fetched = await consumer.getmany(timeout_ms=200, max_records=BATCH)
            left -= sum(map(len, fetched.values()))


async def loop(settings: Settings, until: dict[tuple[str, int], int], run: int) -> None:
    await _replay(settings, until, Subscription(**_plain(f"loop-{run}"), fresh=_all))


async def inbox(settings: Settings, until: dict[tuple[str, int], int], run: int) -> None:
    await _replay(settings, until, Subscription(**_plain(f"inbox-{run}")))


CONTENDERS: dict[str, Contender] = {"drain": drain, "loop": loop, "inbox": inbox}


def _plain(name: str) -> dict[str, Any]:
    return {"name": name, "topics": (TOPIC,), "apply": _nothing}


async def _nothing(_: AsyncConnection, __: Sequence[Record]) -> Sequence[Derived]:
    return ()


async def _all(_: AsyncConnection, batch: Sequence[Record]) -> Sifted:
    return Sifted(batch)


async def _replay(
    settings: Settings, until: dict[tuple[str, int], int], subscription: Subscription
) -> None:
    engine = create_engine(settings)
    resources = Resources(settings=settings, engine=engine, metrics=Metrics("bench"))
    await run_subscription(subscription, resources, until=until)
    await engine.dispose()


async def measure(broker: str, runs: int, events: int) -> dict[str, Any]:
    """Microseconds per event: CPU of this process, and wall time."""
    async with open_servers(broker) as servers:
        await fill(servers, TOPIC, PARTITIONS, entries(events))
        settings = servers.settings(await _database(servers), worker={"batch": BATCH})
        until = await _ends(settings, events)
        found: dict[str, dict[str, list[float]]] = {}
        for run in range(runs + 1):
            for name, contender in CONTENDERS.items():
                gc.collect()
                wall, cpu = perf_counter(), process_time()
                await contender(settings, until, run)
                cpu, wall = process_time() - cpu, perf_counter() - wall
                if run:  # the first warms caches
                    times = found.setdefault(name, {"cpu": [], "wall": []})
                    times["cpu"].append(cpu / events * 1e6)
                    times["wall"].append(wall / events * 1e6)
    spreads = {
        name: {kind: spread(values) for kind, values in times.items()}
        for name, times in found.items()
    }
    overhead = spreads["loop"]["cpu"]["median"] - spreads["drain"]["cpu"]["median"]
    return {
        "events": events,
        "microseconds_per_event": spreads,
        "loop_overhead_microseconds": round(overhead, 2),
    }


async def _database(servers: Servers) -> str:
    url = await servers.postgres.create_database("bench_loop")
    metadata = MetaData()
    runtime_tables(metadata)
    engine = create_engine(servers.settings(url))
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()
    return url


async def _ends(settings: Settings, events: int) -> dict[tuple[str, int], int]:
    ends = dict.fromkeys(((TOPIC, number) for number in range(PARTITIONS)), 0)
    async with make_consumer(settings, None) as consumer:
        places = [TopicPartition(*place) for place in ends]
        consumer.assign(places)
        for place in places:
            consumer.seek(place, 0)
        while sum(ends.values()) < events:
            for place, records in (await consumer.getmany(timeout_ms=200)).items():
                ends[tuple(place)] = records[-1].offset + 1
    return ends


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", default="embedded")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--events", type=int, default=100_000)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    tune_collector()
    found = uvloop.run(measure(given.broker, given.runs, given.events))
    rows = [
        {"contender": name, "CPU µs an event": times["cpu"]["median"],
         "wall µs an event": times["wall"]["median"]}
        for name, times in found["microseconds_per_event"].items()
    ]  # fmt: skip
    sys.stdout.write(table(rows) + "\n")
    sys.stdout.write(f"the loop itself: {found['loop_overhead_microseconds']} µs an event\n")
    command = f"python -m bench.loop_overhead --broker {given.broker} --runs {given.runs}"
    save(f"loop_overhead-{given.broker}", command, found)


if __name__ == "__main__":
    main()
