"""Everybody who is eligible, from the log to an outcome that is told: asked, or why not.

One process reads the log of resolved cases, keeps what it knows of people, and decides about each
of them, with real keys, links and an outbox; what comes of it is counted by reason. `at once`
reads and decides at the same time, as a worker does. `asked` is the dear case: everybody is.

    python -m bench.feedback [--broker embedded|apache] [--runs 3] [--events 100000]
"""

import argparse
import asyncio
import base64
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import uvloop
from rapport_cli.stack.databases import drop_database
from rapport_events.codec import encode
from rapport_events.topics import CUSTOMERS, ENGAGEMENT, FEEDBACK, INTERACTIONS
from rapport_feedback.consumer import subscription
from rapport_feedback.deciding import Tools, ask_due
from rapport_feedback.definitions import go_live, save_draft
from rapport_feedback.domain.definition import Definition
from rapport_feedback.main import make_resources
from rapport_feedback.settings import FeedbackSettings
from rapport_privacy.keyring import Keyring, Resolved
from rapport_privacy.migrations import migrate as migrate_keyring
from rapport_privacy.wiring import open_keyring
from rapport_runtime.database import migrate
from rapport_runtime.serve import tune_collector
from rapport_runtime.subscription import Resources, run_subscription
from sqlalchemy import text

from bench.contenders import consumer_of, ends_of
from bench.report import save, spread, table
from bench.servers import Servers, fill, open_servers, settle
from bench.workload import LogEntry

PARTITIONS: Final = 4
PEOPLE: Final = {"mixed": 5, "asked": 1}
"""Cases a person: with five a person most of them are throttled, with one nobody is."""

_KEYS_A_TIME: Final = 500
_IDLE_SECONDS: Final = 0.01

_SURVEY: Final = {
    "id": "after_case",
    "kind": "csat",
    "about": "service",
    "title": {"en": "How did we do?"},
    "questions": [{"id": "score", "type": "score", "text": {"en": "How did we do?"}}],
    "channels": ["email"],
    "rules": [{"id": "after_case", "on": "ticket.resolved", "sample": 0.95}],
}


async def subjects_of(keyring: Keyring, people: int) -> list[str]:
    """As many customers whom the keyring knows."""
    found: list[str] = []
    for start in range(0, people, _KEYS_A_TIME):
        count = min(_KEYS_A_TIME, people - start)
        answers = await keyring.resolve([{"user_id": uuid4().hex} for _ in range(count)])
        found += [str(one.subject) for one in answers if isinstance(one, Resolved)]
    return found


def cases(subjects: Sequence[str], events: int, now: datetime) -> Iterator[LogEntry]:
    """Cases that were resolved an hour ago; one in fifty customers cannot be reached."""
    chance = random.Random(1)
    for number in range(events):
        subject = subjects[number % len(subjects)]
        at = now - timedelta(hours=1, seconds=chance.random() * 600)
        is_mute = int(subject[:4], 16) % 50 == 0
        attributes: dict[str, Any] = {
            "id": f"evt-{number:09d}",
            "source": "/shop",
            "type": "ticket.resolved.v1",
            "time": at,
            "recordedtime": at,
            "subject": subject,
            "linked": str(uuid4()),
            "identifiedby": "user_id,anonymous_id" if is_mute else "user_id,email",
            "channel": "email",
        }
        data = {"ticket": f"T-{number}", "agent": f"agent-{number % 40}", "team": "care"}
        value = encode(attributes, data)
        yield LogEntry(subject.encode(), value, "/shop", attributes["id"])


def settings_of(servers: Servers, database: str, keyring: str, master: str) -> FeedbackSettings:
    quiet = {"quiet_from": "00:00", "quiet_until": "00:00"}
    return FeedbackSettings.model_validate(
        {
            "kafka": {
                "bootstrap": servers.broker.bootstrap,
                "idempotence": servers.broker.idempotent,
            },
            "database": {"url": database},
            "keyring": {"url": keyring, "master_key": master},
            "keys_file": "/nowhere",
            "asking": quiet,
        }
    )


async def decide_until(resources: Resources, tools: Tools, events: int) -> None:
    """Takes what is due until so many are decided."""
    decided, stop = 0, asyncio.Event()
    while decided < events:
        decided += await ask_due(resources, tools, stop)
        await asyncio.sleep(_IDLE_SECONDS)


async def measure_once(servers: Servers, name: str, events: int, run: int) -> dict[str, Any]:
    databases = [f"bench_feedback_{name}_{run}", f"bench_feedback_keys_{name}_{run}"]
    urls = [await servers.postgres.create_database(one) for one in databases]
    await migrate("rapport_feedback", urls[0])
    await migrate_keyring(urls[1])
    master = base64.b64encode(os.urandom(32)).decode()
    settings = settings_of(servers, urls[0], urls[1], master)
    keyring, resources = await open_keyring(settings.keyring), make_resources(settings)
    topic = f"{INTERACTIONS.name}.{name}.{run}"
    try:
        subjects = await subjects_of(keyring, events // PEOPLE[name])
        async with resources.engine.begin() as tx:
            await save_draft(tx, Definition.model_validate(_SURVEY), "bench")
            await go_live(tx, "after_case", 1, datetime.now(UTC) - timedelta(days=1))
        await fill(servers, topic, PARTITIONS, cases(subjects, events, datetime.now(UTC)))
        await settle(urls[0])
        found = await _timed(resources, Tools(settings, keyring), topic, events)
    finally:
        await keyring.close()
        await resources.engine.dispose()
        for one in databases:
            await drop_database(servers.postgres.admin_url, one)
    sys.stdout.write(f"{name:8} {found['per_second']:>10,.0f} events/s  {found['outcomes']}\n")
    sys.stdout.flush()
    return found


async def _timed(resources: Resources, tools: Tools, topic: str, events: int) -> dict[str, Any]:
    consumer = await consumer_of(tools.settings.kafka.bootstrap, topic)
    ends = await ends_of(consumer)
    await consumer.stop()
    projection = replace(subscription(tools.settings), topics=(topic,))
    tune_collector()
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(
        run_subscription(projection, resources, until=ends),
        decide_until(resources, tools, events),
    )
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    async with resources.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT coalesce(reason, state), count(*) FROM invitation GROUP BY 1")
        )
        outcomes = Counter({str(reason): int(count) for reason, count in rows})
    return {
        "per_second": events / wall,
        "per_cpu_second": events / cpu,
        "outcomes": dict(sorted(outcomes.items())),
    }


async def measure(kind: str, runs: int, events: int) -> dict[str, list[dict[str, Any]]]:
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in PEOPLE}
    async with open_servers(kind) as servers:
        for topic in (CUSTOMERS, FEEDBACK, ENGAGEMENT):
            await fill(servers, topic.name, PARTITIONS, ())
        for run in range(runs):
            for name in PEOPLE:
                results[name].append(await measure_once(servers, name, events, run))
    return results


def figures(results: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {
        "events_per_second": {
            name: spread([run["per_second"] for run in runs]) for name, runs in results.items()
        },
        "events_per_cpu_second": {
            name: spread([run["per_cpu_second"] for run in runs]) for name, runs in results.items()
        },
        "outcomes": {name: runs[-1]["outcomes"] for name, runs in results.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", default="embedded")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--no-save", action="store_true", help="for a machine that is busy")
    given = parser.parse_args()
    found = figures(uvloop.run(measure(given.broker, given.runs, given.events)))
    rows = [
        {"mix": name, "events/s (median)": f"{rate['median']:,.0f}", "min": f"{rate['min']:,.0f}",
         "max": f"{rate['max']:,.0f}", "outcomes": found["outcomes"][name]}
        for name, rate in found["events_per_second"].items()
    ]  # fmt: skip
    sys.stdout.write(table(rows) + "\n")
    command = f"python -m bench.feedback --runs {given.runs} --events {given.events}"
    if not given.no_save:
        save(f"feedback-{given.broker}", command, found)


if __name__ == "__main__":
    main()
