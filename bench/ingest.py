"""What one ingest process takes over HTTP, to `acks=all`, with validation and encryption on.

Batches of 100 as fast as eight connections go, then at half of that rate; single track calls by 64
connections. The load generator and the broker share the machine; the profile service is
paused meanwhile, so that the figure is ingest's.

    python -m bench.ingest [--seconds 8] [--runs 3]
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import orjson
import uvloop

from bench.http import Client
from bench.report import percentile, save, spread, table
from bench.stack import batch_body, memory, open_stack, send_all, track

CUSTOMERS = 5_000
BATCH = 100
BODIES = 300


def batches(run: int) -> list[bytes]:
    """Bodies made beforehand: making them is the publisher's work."""
    first = run * BODIES * BATCH
    return [batch_body(first + number * BATCH, BATCH, CUSTOMERS) for number in range(BODIES)]


def singles(run: int) -> list[bytes]:
    chance = random.Random(run)
    first = 100_000_000 + run * 10_000
    return [orjson.dumps(track(first + number, CUSTOMERS, chance)) for number in range(5_000)]


async def flat_out(
    stack: dict[str, Any], path: str, bodies: list[bytes], connections: int, seconds: float
) -> float:
    """Requests a second, each connection sending its next as soon as it is answered."""
    turns: Iterator[bytes] = cycle(bodies)
    until, done = time.perf_counter() + seconds, 0

    async def work() -> None:
        nonlocal done
        async with Client(stack["ingest"], stack["keys"]["publisher"]) as client:
            while time.perf_counter() < until:
                await client.post(path, next(turns))
                done += 1

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(connections)))
    return done / (time.perf_counter() - began)


async def paced(
    stack: dict[str, Any], bodies: list[bytes], rate: float, seconds: float
) -> list[float]:
    """Milliseconds from when each request was due to its answer, at a steady rate."""
    clients: asyncio.Queue[Client] = asyncio.Queue()
    for _ in range(32):
        client = Client(stack["ingest"], stack["keys"]["publisher"])
        clients.put_nowait(await client.__aenter__())
    began = time.perf_counter()

    async def post(due: float, body: bytes) -> float:
        client = await clients.get()
        await client.post("/v1/batch", body)
        clients.put_nowait(client)
        return (time.perf_counter() - due) * 1_000

    work = []
    for number, body in zip(range(int(rate * seconds)), cycle(bodies), strict=False):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        work.append(asyncio.create_task(post(due, body)))
    waits = await asyncio.gather(*work)
    while not clients.empty():
        await clients.get_nowait().__aexit__(None, None, None)
    return waits


async def measure(seconds: float, runs: int) -> dict[str, Any]:
    async with open_stack() as stack:
        os.kill(stack["pids"]["profile"], signal.SIGSTOP)
        await send_all(stack, CUSTOMERS, CUSTOMERS)
        most, waits, single = [], [], []
        for run in range(1, runs + 1):
            bodies = batches(run)
            rate = await flat_out(stack, "/v1/batch", bodies, 8, seconds)
            most.append(rate * BATCH)
            waits.append(await paced(stack, bodies, rate / 2, seconds))
            single.append(await flat_out(stack, "/v1/track", singles(run), 64, seconds))
        found = {
            "batch_events_per_second": spread(most),
            "half_rate_p50_ms": spread([percentile(wait, 0.50) for wait in waits]),
            "half_rate_p99_ms": spread([percentile(wait, 0.99) for wait in waits]),
            "single_requests_per_second": spread(single),
            "rss_mib": memory(stack),
        }
        os.kill(stack["pids"]["profile"], signal.SIGCONT)
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    found = uvloop.run(measure(given.seconds, given.runs))
    rows = [{"figure": name, **value} for name, value in found.items() if name != "rss_mib"]
    sys.stdout.write(table(rows) + "\n")
    save("ingest", f"python -m bench.ingest --seconds {given.seconds} --runs {given.runs}", found)


if __name__ == "__main__":
    main()
