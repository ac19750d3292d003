"""Back-tests over a million moments: events a second, from PostgreSQL to the finished answer.

The moments of 5,000 customers over 90 days stand in the table as the worker would have left them,
one in fifty of them told late, with a decision of another trigger for one order in three. A draft
that was never in force is tested on all of them, and so is a version that was. Measured is a
back-test from its claim to its result: reading, decoding, folding, asking the gates, and writing
down whom it would have spoken to. It runs in one process, as in a service.

    python -m bench.backtest [--moments 1000000] [--customers 5000] [--runs 3]
"""

import argparse
import random
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

import uvloop
from rapport_events.codec import decode
from rapport_events.envelope import event_key
from rapport_personalization import backtests
from rapport_personalization.backtester import work_off
from rapport_personalization.worker import Shop
from rapport_runtime.database import driver
from rapport_runtime.serve import tune_collector
from sqlalchemy import text

from bench.personalization_shop import _MIX, entry, open_shop
from bench.report import save, spread, table
from bench.servers import open_servers
from bench.workload import LogEntry

DAYS: Final = 90
TRIGGERS: Final = ("abandoned_cart", "thanks", "win_back", "birthday")
_LATE: Final = 0.02
_A_TIME: Final = 20_000

_MOMENT: Final = (
    "event_key", "seq", "subject_id", "time", "recordedtime", "type", "digest", "topic",
    "partition", "offset", "value",
)  # fmt: skip
_DECISION: Final = (
    "id", "trigger", "version", "rank", "person", "subject_id", "anchor", "at", "due", "send_at",
    "decided_at", "kind", "outcome", "shadow", "gates", "known_seq", "policies",
)  # fmt: skip


def rows(people: Sequence[str], number: int, begin: datetime) -> Iterator[tuple[Any, ...]]:
    """What the worker keeps of events, in the order in which they come to be known."""
    chance = random.Random(1)
    kinds, weights = zip(*_MIX, strict=True)
    step = timedelta(days=DAYS) / number
    for seq in range(number):
        told = begin + seq * step
        at = told - timedelta(hours=chance.randrange(1, 72)) if chance.random() < _LATE else told
        person: str = chance.choice(people)
        type_: str = chance.choices(kinds, weights)[0]
        made = entry(person, type_, at, seq, chance)
        yield _row(made, person, seq, told)


def _row(made: LogEntry, person: str, seq: int, told: datetime) -> tuple[Any, ...]:
    envelope = decode(made.value)
    key = event_key(envelope.source, envelope.id)
    return (
        key, seq + 1, person, envelope.time, told, envelope.type, b"", "bench", 0, seq, made.value
    )  # fmt: skip


def decisions(moments: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Something else that was sent to whoever placed one order in three."""
    for _, seq, person, at, _, type_, *_ in moments:
        if type_ == "order.placed.v1" and seq % 3 == 0:
            anchor = f"other-{seq}"
            yield (
                sha256(anchor.encode()).digest(), "other", "1", 9, person, person, anchor, at, at,
                at, at, "service", "sent", False, "[]", seq, "0",
            )  # fmt: skip


async def fill(shop: Shop, people: Sequence[str], number: int, begin: datetime) -> None:
    async with shop.resources.engine.begin() as tx:
        await tx.execute(text("SET LOCAL statement_timeout = 0"))
        connection, some = await driver(tx), []
        for one in rows(people, number, begin):
            some.append(one)
            if len(some) >= _A_TIME:
                await _copy(connection, some)
                some = []
        await _copy(connection, some)
    async with shop.resources.engine.begin() as tx:
        await tx.execute(text("SET LOCAL statement_timeout = 0"))
        await tx.execute(text("ANALYZE"))


async def _copy(connection: Any, some: Sequence[tuple[Any, ...]]) -> None:  # noqa: ANN401 - asyncpg's
    await connection.copy_records_to_table("moment", records=some, columns=_MOMENT)
    await connection.copy_records_to_table(
        "decision", records=list(decisions(some)), columns=_DECISION
    )


async def once(shop: Shop, trigger: str, begin: datetime) -> dict[str, float]:
    period = (begin, begin + timedelta(days=DAYS))
    async with shop.resources.engine.begin() as tx:
        task = await backtests.add(tx, trigger, 1, period, 1.0, "bench")
    cpu = time.process_time()
    await work_off(shop.settings)
    cpu = time.process_time() - cpu
    async with shop.resources.engine.connect() as connection:
        found = await connection.execute(
            text(
                "SELECT events, seconds, state, (SELECT count(*) FROM backtest_decision "
                "WHERE backtest = id_) FROM backtest, (SELECT CAST(:id AS uuid) AS id_) AS one "
                "WHERE id = id_"
            ),
            {"id": task.id},
        )
        events, seconds, state, decided = found.one()
    if state != "done":
        raise SystemExit(f"the back-test of {trigger} is {state}")
    return {"rate": events / seconds, "cpu": events / cpu, "decided": decided, "events": events}


async def measure(moments: int, customers: int, runs: int) -> dict[str, Any]:
    begin = datetime.now(UTC) - timedelta(days=DAYS + 1)
    people = [str(uuid4()) for _ in range(customers)]
    found: dict[str, list[dict[str, float]]] = {name: [] for name in TRIGGERS}
    async with open_servers("embedded") as servers, open_shop(servers, "backtest") as shop:
        await fill(shop, people, moments, begin)
        tune_collector()
        for _ in range(runs):
            for name in TRIGGERS:
                found[name].append(await once(shop, name, begin))
    return {
        "moments": moments,
        "events_per_second": {
            name: spread([one["rate"] for one in all_]) for name, all_ in found.items()
        },
        "events_per_cpu_second": {
            name: spread([one["cpu"] for one in all_]) for name, all_ in found.items()
        },
        "decisions": {name: all_[0]["decided"] for name, all_ in found.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    found = uvloop.run(measure(given.moments, given.customers, given.runs))
    rates, decided = found["events_per_second"], found["decisions"]
    shown = [
        {"trigger": name, "events/s (median)": f"{rates[name]['median']:,.0f}",
         "min": f"{rates[name]['min']:,.0f}", "max": f"{rates[name]['max']:,.0f}",
         "decisions": f"{decided[name]:,}"}
        for name in TRIGGERS
    ]  # fmt: skip
    sys.stdout.write(f"{table(shown)}\n")
    command = (
        f"python -m bench.backtest --moments {given.moments} --customers {given.customers}"
        f" --runs {given.runs}"
    )
    save("backtest", command, found)


if __name__ == "__main__":
    main()
