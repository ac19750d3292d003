"""Whether a running stack does what it should."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
from rapport_events.topics import TOPICS

from rapport_cli.doctor.finding import Finding, bad, good
from rapport_cli.failure import CliError
from rapport_cli.service import Service
from rapport_cli.stack.services import ALL_SERVICES
from rapport_cli.stack.topics import partition_counts
from rapport_cli.stackfile import read_stack

_OLDEST_POSTGRES = 150_000
_MOST_SKEW_SECONDS = 1.0
_HTTP_SECONDS = 5.0
_PROJECTING = ("profile", "personalization", "feedback", "metrics")


def look_at_stack(stack_file: Path) -> Iterator[Finding]:
    """Each part of the stack by itself. Raises NoStackError."""
    stack = read_stack(stack_file)
    yield _topics(stack["kafka"])
    for name, url in stack.get("databases", {}).items():
        yield asyncio.run(_database(name, url))
    for service in ALL_SERVICES:
        if service.name in stack:
            yield _readiness(service.name, stack[service.name])
    for name in _PROJECTING:
        if name in stack:
            yield _projection(stack_file, name)


def _topics(bootstrap: str) -> Finding:
    try:
        there = asyncio.run(partition_counts(bootstrap))
    except CliError as error:
        return bad("Kafka", error.what, error.fix)
    missing = [topic.name for topic in TOPICS if topic.name not in there]
    if missing:
        return bad("topics", f"missing: {', '.join(missing)}", "Run `rapport topics apply`.")
    counts = {there[topic.name] for topic in TOPICS if topic.key == "subject"}
    if len(counts) > 1:
        fix = "Topics keyed by subject need the same count: make new ones and replay into them."
        return bad("topics", f"different partition counts: {sorted(counts)}", fix)
    return good("topics", f"{len(TOPICS)} at {bootstrap}, {counts.pop()} partitions by subject")


async def _database(name: str, url: str) -> Finding:
    plain = url.replace("postgresql+asyncpg", "postgresql")
    try:
        connection = await asyncpg.connect(plain, timeout=_HTTP_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        fix = "Look into postgres.log in the state directory."
        return bad(name, f"cannot connect: {type(error).__name__}", fix)
    try:
        version = int(await connection.fetchval("SHOW server_version_num"))
        skew = abs((await connection.fetchval("SELECT now()")).timestamp() - time.time())
    finally:
        await connection.close()
    if version < _OLDEST_POSTGRES:
        return bad(name, f"PostgreSQL {version // 10_000}", "Use PostgreSQL 15 or newer.")
    if skew > _MOST_SKEW_SECONDS:
        return bad(name, f"its clock is {skew:.1f} s away", "Synchronise the clocks (NTP).")
    return good(name, f"PostgreSQL {version // 10_000}, clock {skew * 1000:.0f} ms away")


def _readiness(name: str, url: str) -> Finding:
    try:
        answer = httpx2.get(f"{url}/readyz", timeout=_HTTP_SECONDS, trust_env=False)
    except httpx2.TransportError as error:
        fix = f"Look into logs/{name}.log in the state directory."
        return bad(name, f"no answer at {url} ({type(error).__name__})", fix)
    checks: dict[str, dict[str, Any]] = answer.json()["checks"]
    failed = [f"{check}: {found['reason']}" for check, found in checks.items() if not found["ok"]]
    if failed:
        return bad(name, "; ".join(failed), f"Look into logs/{name}.log in the state directory.")
    return good(name, f"{url} is ready: {', '.join(checks)}")


def _projection(stack_file: Path, service: str) -> Finding:
    name = f"projection of {service}"
    try:
        streams = Service(stack_file, service).get("/v1/ops/streams")["streams"]
    except CliError as error:
        return bad(name, error.what, error.fix)
    parked = sum(stream["parked"] for stream in streams)
    behind = sum(stream["lag_events"] for stream in streams)
    if parked:
        fix = f"`rapport parked list --service {service}` names the reasons."
        return bad(name, f"{parked} events are parked", fix)
    return good(name, f"{behind} events behind, none parked")
