"""Memory of the metrics worker over many events: flat, whatever it has counted.

A worker process, as `python -m rapport_metrics worker` starts it, reads a log that grows by a part
at a time; after each part its resident memory is looked at. The first parts fill its buffers.

    python -m bench.metrics_memory [--broker embedded|apache] [--events 500000] [--part 100000]

The full run is `--broker apache --events 5000000 --part 250000`.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from rapport_events.topics import CUSTOMERS, FEEDBACK, INTERACTIONS
from rapport_runtime.database import create_engine, migrate
from rapport_runtime.progress import read_positions
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.contenders import consumer_of, ends_of
from bench.kpi_log import kpi_entries
from bench.report import resident_mib, save
from bench.servers import Servers, fill, open_servers

PARTITIONS: Final = 4


@asynccontextmanager
async def working(
    servers: Servers, url: str, keys: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The worker."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rapport_metrics", "worker",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={
            **os.environ,
            "RAPPORT_KAFKA__BOOTSTRAP": servers.broker.bootstrap,
            "RAPPORT_KAFKA__IDEMPOTENCE": str(servers.broker.idempotent).lower(),
            "RAPPORT_DATABASE__URL": url,
            "RAPPORT_KEYS_FILE": str(keys),
        },
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def level(
    engine: AsyncEngine, consumer: AIOKafkaConsumer, worker: asyncio.subprocess.Process
) -> None:
    """Waits until the worker has counted all that is in the log."""
    ends = await ends_of(consumer)
    while True:
        positions = await read_positions(engine, "metrics.v1")
        if all(positions.get(place, 0) >= end for place, end in ends.items()):
            return
        if worker.returncode is not None:
            raise SystemExit(f"the worker ended with status {worker.returncode}")
        await asyncio.sleep(0.2)


async def measure(kind: str, events: int, part: int) -> dict[str, Any]:
    mib: list[float] = []
    async with open_servers(kind) as servers:
        for topic in (CUSTOMERS, FEEDBACK):
            await fill(servers, topic.name, PARTITIONS, ())
        url = await servers.postgres.create_database("bench_memory")
        await migrate("rapport_metrics", url)
        engine = create_engine(servers.settings(url))
        keys, began = Path(os.devnull), time.perf_counter()
        await fill(servers, INTERACTIONS.name, PARTITIONS, kpi_entries(part))
        async with working(servers, url, keys) as worker:
            for first in range(0, events, part):
                if first:
                    more = kpi_entries(part, first=first)
                    await fill(servers, INTERACTIONS.name, PARTITIONS, more)
                consumer = await consumer_of(servers.broker.bootstrap, INTERACTIONS.name)
                await level(engine, consumer, worker)
                await consumer.stop()
                mib.append(resident_mib(worker.pid))
                sys.stdout.write(f"{first + part:>10,} events {mib[-1]:>7} MiB\n")
                sys.stdout.flush()
        await engine.dispose()
    settled = mib[len(mib) // 2]
    return {
        "events": events,
        "seconds": round(time.perf_counter() - began),
        "rss_mib": {"first": mib[0], "half_way": settled, "last": mib[-1], "most": max(mib)},
        "grown_since_half_way": round(mib[-1] / settled, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", default="embedded")
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--part", type=int, default=100_000)
    given = parser.parse_args()
    found = asyncio.run(measure(given.broker, given.events, given.part))
    sys.stdout.write("".join(f"{name} {figure}\n" for name, figure in found.items()))
    command = (
        f"python -m bench.metrics_memory --broker {given.broker} --events {given.events}"
        f" --part {given.part}"
    )
    save("metrics_memory", command, found)


if __name__ == "__main__":
    main()
