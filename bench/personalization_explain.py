"""Why, or why not: how long an answer takes about a customer of whom much is known.

2,000 events in a year, the whole catalogue live and decided upon as it came; then every trigger is
asked about, now and at instants of the past. One question at a time, over HTTP; the service has the
process to itself but for the client.

    python -m bench.personalization_explain [--events 2000] [--instants 8] [--runs 3]
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson
import uvloop
from rapport_cli.stack.processes import free_port, port_answers
from rapport_events.codec import decode
from rapport_events.envelope import Record, event_key
from rapport_personalization.deciding import Decider, decide_due
from rapport_personalization.main import api_component
from rapport_personalization.worker import Shop
from rapport_runtime.http.keyfile import add_key

from bench.http import Client
from bench.personalization_shop import entry, entry_type, open_shop, people_of
from bench.report import percentile, save, spread
from bench.servers import Servers, open_servers

YEAR: Final = timedelta(days=365)
_BATCH: Final = 5
_PATIENCE: Final = 400
_LISTEN_SECONDS: Final = 0.05


def life(person: str, events: int, now: datetime) -> list[Record]:
    """What one customer did in the year up to now, as it stands in the log."""
    chance = random.Random(1)
    found = []
    for number in range(events):
        at = now - YEAR + YEAR * (number / events)
        one = entry(person, entry_type(chance), at, number, chance)
        found.append(
            Record(
                topic="bench",
                partition=0,
                offset=number,
                key=event_key(one.source, one.id),
                envelope=decode(one.value),
                value=one.value,
            )
        )
    return found


async def live(shop: Shop, records: Sequence[Record]) -> None:
    """Takes them in as the worker would, and decides what is due meanwhile."""
    decider = Decider(shop.resources.engine, shop.keyring, shop.rulebook, 500)
    for start in range(0, len(records), _BATCH):
        batch = records[start : start + _BATCH]
        async with shop.resources.engine.begin() as tx:
            await shop.projection.apply(tx, batch)
        while await decide_due(decider, batch[-1].envelope.time):
            continue


@asynccontextmanager
async def answering(shop: Shop) -> AsyncIterator[Client]:
    """The service's HTTP door."""
    port, stop = free_port(), asyncio.Event()
    http = shop.settings.http.model_copy(update={"port": port})
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        keys_file = Path(folder) / "keys.json"
        key, _ = add_key(keys_file, "bench", ["rules:read"])
        settings = shop.settings.model_copy(update={"http": http, "keys_file": keys_file})
        task = asyncio.create_task(api_component(settings, shop.resources)(stop))
        try:
            for _ in range(_PATIENCE):
                if task.done() or await port_answers("127.0.0.1", port):
                    break
                await asyncio.sleep(_LISTEN_SECONDS)
            async with Client(f"http://127.0.0.1:{port}", key) as client:
                yield client
        finally:
            stop.set()
            await task


async def ask(client: Client, question: dict[str, str], verdicts: dict[str, int]) -> float:
    """Milliseconds."""
    body = orjson.dumps(question)
    began = time.perf_counter()
    answer = await client.post("/v1/explain", body)
    waited = (time.perf_counter() - began) * 1_000
    verdict = answer.json()["verdict"]
    verdicts[verdict] = verdicts.get(verdict, 0) + 1
    return waited


async def once(
    servers: Servers, run: int, events: int, instants: int, verdicts: dict[str, int]
) -> list[float]:
    """One figure an answer."""
    async with open_shop(servers, f"explain_{run}") as shop:
        (person,) = await people_of(shop, 1)
        now = datetime.now(UTC)
        await live(shop, life(person, events, now))
        async with shop.resources.engine.begin() as tx:
            triggers = [one.id for one in (await shop.rulebook.load(tx)).known.triggers]
        chance, waits = random.Random(run), []
        # All is known by the end: of the past half of the questions are.
        past = [now - YEAR * chance.random() for _ in range(instants // 2)]
        times = [datetime.now(UTC)] * (instants - len(past)) + past
        async with answering(shop) as client:
            for at in times:
                for trigger in triggers:
                    question = {"customer": person, "trigger": trigger, "at": at.isoformat()}
                    waits.append(await ask(client, question, verdicts))
    return waits


async def measure(kind: str, events: int, instants: int, runs: int) -> dict[str, Any]:
    verdicts: dict[str, int] = {}
    async with open_servers(kind) as servers:
        waits = [await once(servers, run, events, instants, verdicts) for run in range(runs)]
    return {
        "events": events,
        "answers": sum(map(len, waits)),
        "verdicts": dict(sorted(verdicts.items())),
        "p50_ms": spread([percentile(wait, 0.50) for wait in waits]),
        "p95_ms": spread([percentile(wait, 0.95) for wait in waits]),
        "longest_ms": spread([max(wait) for wait in waits]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", default="embedded")
    parser.add_argument("--events", type=int, default=2_000)
    parser.add_argument("--instants", type=int, default=8)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    found = uvloop.run(measure(given.broker, given.events, given.instants, given.runs))
    sys.stdout.write(f"p50 {found['p50_ms']} ms\np95 {found['p95_ms']} ms\n{found['verdicts']}\n")
    command = f"python -m bench.personalization_explain --events {given.events}"
    save("personalization_explain", command, found)


if __name__ == "__main__":
    main()
