"""From `POST /v1/track` to a KPI that counts it, and a month by day by channel, over three years.

Three years of totals are in the database throughout. 200 orders a second arrive steadily; the
revenue of the day is then asked for with the token of every fourth. Measured is the time from
the first byte of the POST to the last byte of the answer. Then months of several KPIs are asked
for, by day and channel, one after the other.

    python -m bench.metrics_visible [--seconds 20] [--rate 200] [--runs 3] [--asks 300]
"""

import argparse
import asyncio
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

import asyncpg
import orjson
import uvloop

from bench.http import Client
from bench.report import percentile, save, spread
from bench.stack import memory, open_stack, send_all

CUSTOMERS: Final = 2_000
CLIENTS: Final = 16
ASKED: Final = 4
"""Of so many events one is asked for: who looks at a KPI does not look 200 times a second."""
YEARS: Final = 3
KPIS: Final = ("csat", "frt", "contacts", "aov", "sla_frt")
"""Of each kind one: a rate, a distribution, a count, money, and one that looks at minutes."""

_PLACES: Final = 12
"""Combinations of channel and team in which something happens every hour."""

_DIMS: Final = """
INSERT INTO dims (id, channel, team, currency)
SELECT number, (ARRAY['web', 'email', 'chat', 'phone'])[1 + number % 4], 'team' || number / 4, $3
FROM generate_series($1::int, $1::int + $2::int - 1) AS number
"""
_CELLS: Final = """
INSERT INTO cell (metric, bucket, dims, bin, shard, num, den)
SELECT $1, ($2::int - hour) * 60, $3::int + place, $4, 0, hour % 7, 7
FROM generate_series(1, $5::int) AS hour, generate_series(0, $6::int - 1) AS place
"""


_DAILY: Final = """
INSERT INTO daily (metric, day, dims, bin, shard, num, den)
SELECT metric, bucket / 1440, dims, bin, shard, sum(num), sum(den) FROM cell GROUP BY 1, 2, 3, 4, 5
"""


async def remember_years(url: str) -> int:
    """Totals of every hour of three years in the metrics' database; how many."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    hours, hour = YEARS * 365 * 24, int(datetime.now(UTC).timestamp()) // 3_600
    cells = [(name, -1, 0) for name in ("csat", "contacts", "sla_frt")]
    cells += [(name, -1, _PLACES) for name in ("aov", "revenue_gross")]
    cells += [("frt", bin_, 0) for bin_ in (200, 700, 1_100)]
    await connection.execute(_DIMS, 0, _PLACES, None)
    await connection.execute(_DIMS, _PLACES, _PLACES, "EUR")
    for metric, bin_, first in cells:
        await connection.execute(_CELLS, metric, hour, first, bin_, hours, _PLACES)
    await connection.execute(_DAILY)
    await connection.execute("VACUUM ANALYZE cell, daily, dims")
    # What was written in three years does not reach the disk while something is measured.
    await connection.execute("CHECKPOINT")
    await connection.close()
    return len(cells) * hours * _PLACES


def order(number: int) -> bytes:
    """A track call of a shop."""
    properties = {"order_id": f"mv-{number}", "total": 49.90, "currency": "EUR"}
    call = {
        "type": "track",
        "event": "Order Completed",
        "userId": f"u-{number % CUSTOMERS}",
        "messageId": f"mv-{number}",
        "timestamp": datetime.now(UTC).isoformat(),
        "properties": properties,
    }
    return orjson.dumps(call)


def today() -> str:
    """The query of a KPI of this day."""
    start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    span = f"from={quote(start.isoformat())}&to={quote((start + timedelta(days=1)).isoformat())}"
    return f"/v1/kpis/revenue_gross?{span}"


async def once(stack: dict[str, Any], rate: int, seconds: int, first: int) -> list[float]:
    """Milliseconds, one figure for each event that is asked for."""
    pairs: asyncio.Queue[tuple[Client, Client]] = asyncio.Queue()
    for _ in range(CLIENTS):
        publisher = await Client(stack["ingest"], stack["keys"]["publisher"]).__aenter__()
        analyst = await Client(stack["metrics"], stack["keys"]["ops"]).__aenter__()
        pairs.put_nowait((publisher, analyst))
    began = time.perf_counter()
    work = []
    for number in range(rate * seconds):
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        work.append(asyncio.create_task(_round_trip(pairs, first + number)))
    waited = [wait for wait in await asyncio.gather(*work) if wait is not None]
    while not pairs.empty():
        for client in pairs.get_nowait():
            await client.__aexit__(None, None, None)
    return waited


async def _round_trip(pairs: asyncio.Queue[tuple[Client, Client]], number: int) -> float | None:
    body, began = order(number), time.perf_counter()
    publisher, analyst = await pairs.get()
    try:
        token = (await publisher.post("/v1/track", body)).json()["consistency_token"]
        if number % ASKED:
            return None
        await analyst.get(today(), f"Consistency-Token: {token}\r\n")
    finally:
        pairs.put_nowait((publisher, analyst))
    return (time.perf_counter() - began) * 1_000


async def months(stack: dict[str, Any], kpi: str, asks: int) -> list[float]:
    """Milliseconds of months anywhere in the three years, by day and channel."""
    chance, waits = random.Random(kpi), []
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    async with Client(stack["metrics"], stack["keys"]["ops"]) as analyst:
        for _ in range(asks):
            start = day - timedelta(days=chance.randint(31, YEARS * 365 - 1))
            span = "&".join(
                f"{name}={quote(at.isoformat())}"
                for name, at in (("from", start), ("to", start + timedelta(days=30)))
            )
            began = time.perf_counter()
            answer = await analyst.get(f"/v1/kpis/{kpi}?{span}&grain=day&group_by=channel")
            waits.append((time.perf_counter() - began) * 1_000)
    if len(answer.json()["series"]) != 30 * 4:
        raise SystemExit(f"{kpi}: not a month by day by channel")
    return waits


async def measure(rate: int, seconds: int, runs: int, asks: int) -> dict[str, Any]:
    async with open_stack() as stack:
        found: dict[str, Any] = {
            "cells": await remember_years(stack["databases"]["rapport_metrics"]),
            "rate_per_second": rate,
        }
        await send_all(stack, CUSTOMERS * 2, CUSTOMERS)
        await once(stack, rate, 3, 10_000_000)
        waits = [
            await once(stack, rate, seconds, 20_000_000 + run * 1_000_000) for run in range(runs)
        ]
        for share in (50, 99):
            figures = [percentile(wait, share / 100) for wait in waits]
            found.setdefault("visible", {})[f"p{share}_ms"] = spread(figures)
        for kpi in KPIS:
            await months(stack, kpi, 20)
            waits = [await months(stack, kpi, asks) for _ in range(runs)]
            for share in (50, 99):
                figures = [percentile(wait, share / 100) for wait in waits]
                found.setdefault(f"month_of_{kpi}", {})[f"p{share}_ms"] = spread(figures)
        found["rss_mib"] = memory(stack)
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--asks", type=int, default=300)
    given = parser.parse_args()
    found = uvloop.run(measure(given.rate, given.seconds, given.runs, given.asks))
    sys.stdout.write("".join(f"{name} {figure}\n" for name, figure in found.items()))
    command = f"python -m bench.metrics_visible --rate {given.rate} --runs {given.runs}"
    save("metrics_visible", command, found)


if __name__ == "__main__":
    main()
