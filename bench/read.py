"""`GET /v1/profiles/{ref}` at a steady rate with a million timeline rows, all sent through ingest.

python -m bench.read [--events 1000000] [--rate 100] [--seconds 30] [--runs 3]
"""

import argparse
import asyncio
import random
import sys
import time
from typing import Any

import uvloop

from bench.http import Client
from bench.report import percentile, save, spread
from bench.stack import memory, open_stack, send_all

CUSTOMERS = 20_000
CLIENTS = 8


async def once(stack: dict[str, Any], rate: int, seconds: int, seed: int) -> list[float]:
    """Milliseconds from when a request was due to its last byte, one figure a request."""
    chance = random.Random(seed)
    clients: asyncio.Queue[Client] = asyncio.Queue()
    for _ in range(CLIENTS):
        clients.put_nowait(await Client(stack["profile"], stack["keys"]["agent"]).__aenter__())
    began = time.perf_counter()

    async def ask(due: float) -> float:
        client = await clients.get()
        try:
            await client.get(f"/v1/profiles/user_id:u-{chance.randrange(CUSTOMERS)}")
        finally:
            clients.put_nowait(client)
        return (time.perf_counter() - due) * 1_000

    work = []
    for number in range(rate * seconds):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        work.append(asyncio.create_task(ask(due)))
    waited = await asyncio.gather(*work)
    while not clients.empty():
        await clients.get_nowait().__aexit__(None, None, None)
    return waited


async def _level(stack: dict[str, Any], token: str) -> None:
    """Waits until the profile service has read everything that was sent."""
    async with Client(stack["profile"], stack["keys"]["agent"]) as client:
        for _ in range(120):
            try:
                await client.get(
                    "/v1/profiles/user_id:u-0", f"Consistency-Token: {token}\r\nPrefer: wait=10\r\n"
                )
            except RuntimeError as error:
                if "HTTP 425" not in str(error):
                    raise
            else:
                return
    raise SystemExit("the profile service did not catch up")


async def measure(events: int, rate: int, seconds: int, runs: int) -> dict[str, Any]:
    async with open_stack() as stack:
        began = time.perf_counter()
        await _level(stack, await send_all(stack, events, CUSTOMERS, 500))
        filled = time.perf_counter() - began
        await once(stack, rate, 5, 0)
        waits = [await once(stack, rate, seconds, run + 1) for run in range(runs)]
        return {
            "timeline_rows": events,
            "filled_events_per_second": round(events / filled),
            "rate_per_second": rate,
            "p50_ms": spread([percentile(wait, 0.50) for wait in waits]),
            "p99_ms": spread([percentile(wait, 0.99) for wait in waits]),
            "rss_mib": memory(stack),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    found = uvloop.run(measure(given.events, given.rate, given.seconds, given.runs))
    sys.stdout.write(f"p50 {found['p50_ms']} ms\np99 {found['p99_ms']} ms\n{found['rss_mib']}\n")
    save("read", f"python -m bench.read --events {given.events} --rate {given.rate}", found)


if __name__ == "__main__":
    main()
