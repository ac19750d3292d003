"""A million waiting timers: how late those are decided on whose time has come.

The table is filled with candidates of the years to come; then some fall due every second, and the
decider takes its turn every 50 ms, as the worker's timer does. Measured is from `send_at` to the
commit of the decision.

    python -m bench.personalization_timers [--timers 1000000] [--due 100] [--seconds 20]
"""

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import uvloop
from rapport_personalization.deciding import Decider, decide_due
from rapport_personalization.worker import Shop
from sqlalchemy import text

from bench.personalization_shop import open_shop, people_of
from bench.report import percentile, save, spread
from bench.servers import open_servers

PEOPLE: Final = 2_000
_TURN_SECONDS: Final = 0.05

_FILL: Final = text("""
INSERT INTO candidate (id, trigger, version, rank, person, subject_id, anchor, thing, at, due,
    send_at, cause)
SELECT sha256(('waits' || n)::bytea), 'thanks', '1', 9, p.id, p.id, 'w-' || n, 'w-' || n,
    now(), due, due, decode(md5(n::text), 'hex')
FROM generate_series(1, :timers) AS n
CROSS JOIN LATERAL (SELECT now() + interval '1 day' + n * interval '1 minute' AS due) AS d
JOIN unnest(CAST(:people AS uuid[])) WITH ORDINALITY AS p (id, number)
    ON p.number = 1 + n % :count
""")

_DUE: Final = text("""
INSERT INTO candidate (id, trigger, version, rank, person, subject_id, anchor, thing, at, due,
    send_at, cause)
SELECT sha256((:run || 'due' || n)::bytea), 'thanks', '1', 9, p.id, p.id, :run || n, :run || n,
    now(), due, due, decode(md5(:run || n::text), 'hex')
FROM generate_series(1, :timers) AS n
CROSS JOIN LATERAL (
    SELECT CAST(:start AS timestamptz) + n * interval '1 second' / :rate AS due
) AS d
JOIN unnest(CAST(:people AS uuid[])) WITH ORDINALITY AS p (id, number)
    ON p.number = 1 + n % :count
""")

_LATE: Final = text("""
SELECT extract(epoch FROM decided_at - send_at) * 1000 FROM decision WHERE anchor LIKE :run || '%'
""")


async def fill(shop: Shop, people: list[str], timers: int) -> None:
    async with shop.resources.engine.begin() as tx:
        await tx.execute(text("SET LOCAL statement_timeout = 0"))
        add = text("INSERT INTO person_subject SELECT unnest(CAST(:people AS uuid[]))")
        await tx.execute(add, {"people": people})
        size = {"timers": timers, "people": people, "count": len(people)}
        await tx.execute(_FILL, size)
    async with shop.resources.engine.begin() as tx:
        await tx.execute(text("ANALYZE candidate"))


async def once(shop: Shop, people: list[str], rate: int, seconds: int, run: str) -> list[float]:
    """Milliseconds from a timer's time to its decision. `decided_at` is the transaction's start,
    to which a turn is added."""
    start = datetime.now(UTC) + timedelta(seconds=2)
    async with shop.resources.engine.begin() as tx:
        await tx.execute(
            _DUE,
            {"run": run, "timers": rate * seconds, "people": people, "count": len(people),
             "start": start, "rate": rate},
        )  # fmt: skip
    decider = Decider(shop.resources.engine, shop.keyring, shop.rulebook, 500)
    turns: list[float] = []
    until = start + timedelta(seconds=seconds + 1)
    while datetime.now(UTC) < until:
        began = time.perf_counter()
        if await decide_due(decider):
            turns.append((time.perf_counter() - began) * 1_000)
        await asyncio.sleep(_TURN_SECONDS)
    async with shop.resources.engine.connect() as connection:
        late = [float(row[0]) for row in await connection.execute(_LATE, {"run": run})]
    if len(late) != rate * seconds:
        raise SystemExit(f"{len(late)} of {rate * seconds} due timers were decided on")
    return [one + max(turns) for one in late]


async def measure(kind: str, timers: int, rate: int, seconds: int, runs: int) -> dict[str, Any]:
    async with open_servers(kind) as servers, open_shop(servers, "timers") as shop:
        people = sorted(await people_of(shop, PEOPLE))
        await fill(shop, people, timers)
        waits = [await once(shop, people, rate, seconds, f"r{run}-") for run in range(runs)]
    return {
        "waiting": timers,
        "due_per_second": rate,
        "p50_ms": spread([percentile(wait, 0.50) for wait in waits]),
        "p99_ms": spread([percentile(wait, 0.99) for wait in waits]),
        "latest_ms": spread([max(wait) for wait in waits]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", default="embedded")
    parser.add_argument("--timers", type=int, default=1_000_000)
    parser.add_argument("--due", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    found = uvloop.run(measure(given.broker, given.timers, given.due, given.seconds, given.runs))
    sys.stdout.write(f"p99 {found['p99_ms']} ms\nlatest {found['latest_ms']} ms\n")
    command = f"python -m bench.personalization_timers --timers {given.timers} --due {given.due}"
    save("personalization_timers", command, found)


if __name__ == "__main__":
    main()
