"""From `POST /v1/track` to visible in `GET /v1/profiles`, with a consistency token, under load.

200 events/s arrive steadily; each is then asked for with its own token. Measured is the time
from the first byte of the POST to the last byte of the profile.

    python -m bench.visible [--seconds 20] [--rate 200] [--runs 3]
"""

import argparse
import asyncio
import random
import sys
import time
from typing import Any

import orjson
import uvloop

from bench.http import Client
from bench.report import percentile, save, spread
from bench.stack import memory, open_stack, send_all, track

CUSTOMERS = 2_000
CLIENTS = 16


async def once(stack: dict[str, Any], rate: int, seconds: int, first: int) -> list[float]:
    """Milliseconds, one figure an event."""
    pairs: asyncio.Queue[tuple[Client, Client]] = asyncio.Queue()
    for _ in range(CLIENTS):
        publisher = await Client(stack["ingest"], stack["keys"]["publisher"]).__aenter__()
        agent = await Client(stack["profile"], stack["keys"]["agent"]).__aenter__()
        pairs.put_nowait((publisher, agent))
    began = time.perf_counter()
    work = []
    for number in range(rate * seconds):
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        work.append(asyncio.create_task(_round_trip(pairs, first + number)))
    waited = await asyncio.gather(*work)
    while not pairs.empty():
        for client in pairs.get_nowait():
            await client.__aexit__(None, None, None)
    return waited


async def _round_trip(pairs: asyncio.Queue[tuple[Client, Client]], number: int) -> float:
    body = orjson.dumps(track(number, CUSTOMERS, random.Random(number)))
    began = time.perf_counter()
    publisher, agent = await pairs.get()
    try:
        token = (await publisher.post("/v1/track", body)).json()["consistency_token"]
        ref = f"user_id:u-{number % CUSTOMERS}"
        await agent.get(f"/v1/profiles/{ref}", f"Consistency-Token: {token}\r\n")
    finally:
        pairs.put_nowait((publisher, agent))
    return (time.perf_counter() - began) * 1_000


async def measure(rate: int, seconds: int, runs: int) -> dict[str, Any]:
    async with open_stack() as stack:
        await send_all(stack, CUSTOMERS * 2, CUSTOMERS)
        await once(stack, rate, 3, 10_000_000)
        waits = [
            await once(stack, rate, seconds, 20_000_000 + run * 1_000_000) for run in range(runs)
        ]
        return {
            "rate_per_second": rate,
            "p50_ms": spread([percentile(wait, 0.50) for wait in waits]),
            "p99_ms": spread([percentile(wait, 0.99) for wait in waits]),
            "rss_mib": memory(stack),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    found = uvloop.run(measure(given.rate, given.seconds, given.runs))
    sys.stdout.write(f"p50 {found['p50_ms']} ms\np99 {found['p99_ms']} ms\n")
    save("visible", f"python -m bench.visible --rate {given.rate} --runs {given.runs}", found)


if __name__ == "__main__":
    main()
