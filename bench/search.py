"""`GET /v1/profiles?…` at a steady rate with a million customers: each kind of search by itself.

python -m bench.search [--people 1000000] [--rate 20] [--seconds 20] [--runs 3]
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Callable
from typing import Any, get_args

import uvloop
from rapport_profile.domain.lifecycle import Stage

from bench.crowd import SEGMENTS, called, fill
from bench.http import Client
from bench.report import percentile, save, spread, table
from bench.stack import memory, open_stack

CLIENTS = 8

Query = Callable[[random.Random, int], str]


def _exact(chance: random.Random, people: int) -> str:
    return f"user_id=u-{chance.randrange(people)}"


def _name(chance: random.Random, people: int) -> str:
    """What somebody types: the first two to five letters of a last name."""
    return f"q={called(chance.randrange(people))[1][: chance.randint(2, 5)]}"


def _two_words(chance: random.Random, people: int) -> str:
    first, last = called(chance.randrange(people))
    return f"q={first[:3]}%20{last[:3]}"


def _stage(chance: random.Random, _: int) -> str:
    return f"stage={chance.choice(get_args(Stage))}"


def _consent_and_segment(chance: random.Random, _: int) -> str:
    return f"consent=email/marketing&segment={chance.choice(SEGMENTS)}"


def _name_and_stage(chance: random.Random, people: int) -> str:
    return f"{_name(chance, people)}&{_stage(chance, people)}"


KINDS: dict[str, Query] = {
    "exact": _exact,
    "name": _name,
    "two_words": _two_words,
    "stage": _stage,
    "consent_and_segment": _consent_and_segment,
    "name_and_stage": _name_and_stage,
}


async def once(
    stack: dict[str, Any], query: Query, people: int, rate: int, seconds: float, seed: int
) -> list[float]:
    """Milliseconds from when a request was due to its last byte, one figure a request."""
    chance = random.Random(seed)
    clients: asyncio.Queue[Client] = asyncio.Queue()
    for _ in range(CLIENTS):
        clients.put_nowait(await Client(stack["profile"], stack["keys"]["agent"]).__aenter__())
    began = time.perf_counter()

    async def ask(due: float) -> float:
        client = await clients.get()
        try:
            await client.get(f"/v1/profiles?{query(chance, people)}")
        finally:
            clients.put_nowait(client)
        return (time.perf_counter() - due) * 1_000

    work = []
    for number in range(int(rate * seconds)):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        work.append(asyncio.create_task(ask(due)))
    waited = await asyncio.gather(*work)
    while not clients.empty():
        await clients.get_nowait().__aexit__(None, None, None)
    return waited


async def measure(people: int, rate: int, seconds: float, runs: int) -> dict[str, Any]:
    async with open_stack() as stack:
        began = time.perf_counter()
        await fill(stack, people)
        sys.stdout.write(f" in {time.perf_counter() - began:,.0f} s\n")
        found: dict[str, Any] = {"customers": people, "rate_per_second": rate}
        for name, query in KINDS.items():
            await once(stack, query, people, rate, 3, 0)
            waits = [
                await once(stack, query, people, rate, seconds, run + 1) for run in range(runs)
            ]
            found[name] = {
                "p50_ms": spread([percentile(wait, 0.50) for wait in waits]),
                "p99_ms": spread([percentile(wait, 0.99) for wait in waits]),
            }
        return {**found, "rss_mib": memory(stack)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    found = uvloop.run(measure(given.people, given.rate, given.seconds, given.runs))
    rows = [
        {"search": name, "p50 ms": found[name]["p50_ms"]["median"],
         "p99 ms": found[name]["p99_ms"]["median"], "max ms": found[name]["p99_ms"]["max"]}
        for name in KINDS
    ]  # fmt: skip
    sys.stdout.write(table(rows) + f"\n{found['rss_mib']}\n")
    save("search", f"python -m bench.search --people {given.people} --rate {given.rate}", found)


if __name__ == "__main__":
    main()
