"""Databases that are away: nothing is taken that could be lost, and nothing in clear."""

import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from time import monotonic

import httpx2
import pytest
from rapport_cli.stack.broker import Broker
from rapport_cli.stack.postgres import Postgres
from rapport_privacy.migrations import migrate as migrate_keyring
from rapport_runtime.database import migrate

from tests.integration.ingest.conftest import MakeDatabases
from tests.support.fixtures import MakeTopic
from tests.support.ingest_house import (
    PARTITIONS,
    Ingest,
    Secrets,
    a_user,
    an_id,
    open_ingest,
    settings_of,
)
from tests.support.publishers import track

IN_TIME = 3.0
"""Two seconds are promised; the rest is for a machine that is busy with other tests."""

Away = Callable[[Postgres], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def _dead(server: Postgres) -> AsyncIterator[None]:
    server.kill9()
    try:
        yield
    finally:
        await server.start()


@asynccontextmanager
async def _silent(server: Postgres) -> AsyncIterator[None]:
    """Connections stand, new ones are accepted by the kernel, and nothing answers."""
    stopped = [server.pid, *_sessions(server.pid)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def _sessions(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


async def _refused_in_time(ingest: Ingest, path: str, body: object) -> httpx2.Response:
    """One of three tries: a machine that is busy may still be late with some."""
    took: list[float] = []
    while len(took) < 3 and min(took, default=IN_TIME) >= IN_TIME:
        began_at = monotonic()
        refused = await ingest.post(path, body)
        took.append(monotonic() - began_at)
    assert min(took) < IN_TIME
    return refused


AWAY = pytest.mark.parametrize("away", [_dead, _silent])


@pytest.fixture
async def own_ingest(
    broker: Broker,
    topic: MakeTopic,
    databases: MakeDatabases,
    own_postgres: Postgres,
    secrets: Secrets,
    tmp_path: Path,
) -> AsyncIterator[Ingest]:
    """Ingest whose keyring is on a server of its own, which the test may pause."""
    database, _ = await databases()
    keyring = await own_postgres.create_database("keyring")
    await migrate_keyring(keyring)
    topics = {name: await topic(PARTITIONS) for name in ("interactions", "inbound")}
    settings = settings_of(broker.bootstrap, (database, keyring), secrets, tmp_path, topics=topics)
    async with open_ingest(settings, secrets) as running:
        yield running


@AWAY
async def test_without_a_keyring_events_are_refused_in_time_and_taken_again_after_it(
    own_ingest: Ingest, own_postgres: Postgres, away: Away
) -> None:
    known, event = a_user(), track("Seen") | {"userId": a_user(), "messageId": an_id()}
    first = track("Seen") | {"userId": known, "messageId": an_id()}
    await own_ingest.send("/v1/track", first)

    async with away(own_postgres):
        refused = await _refused_in_time(own_ingest, "/v1/track", event)
        cached = await own_ingest.send("/v1/track", first | {"messageId": an_id()})
    taken = await own_ingest.send("/v1/track", event)

    assert (refused.status_code, refused.json()["code"]) == (503, "keyring_away")
    assert 1 <= int(refused.headers["retry-after"]) <= 5
    assert (cached["accepted"], taken["accepted"]) == (1, 1)
    assert len(await own_ingest.stored(event["messageId"])) == 1


@AWAY
async def test_without_a_place_for_the_bad_ones_the_request_comes_again_and_the_good_are_safe(
    broker: Broker,
    topic: MakeTopic,
    databases: MakeDatabases,
    own_postgres: Postgres,
    secrets: Secrets,
    tmp_path: Path,
    away: Away,
) -> None:
    _, keyring = await databases()
    database = await own_postgres.create_database("ingest")
    await migrate("rapport_ingest", database)
    topics = {name: await topic(PARTITIONS) for name in ("interactions", "inbound")}
    settings = settings_of(broker.bootstrap, (database, keyring), secrets, tmp_path, topics=topics)
    good = track("Seen") | {"userId": a_user(), "messageId": an_id()}
    bad = track("Seen") | {"userId": None, "messageId": an_id()}
    batch = {"batch": [good, bad]}

    async with open_ingest(settings, secrets) as ingest:
        async with away(own_postgres):
            refused = await _refused_in_time(ingest, "/v1/batch", batch)
            stored, *_ = await ingest.stored(good["messageId"])
            untouched = await ingest.send("/v1/track", good | {"messageId": an_id()})
        taken = await ingest.send("/v1/batch", batch)
        held = await ingest.get("/v1/ops/quarantine", event_id=bad["messageId"])

    assert (refused.status_code, refused.json()["code"]) == (503, "quarantine_unavailable")
    assert "retry-after" in refused.headers
    assert stored.envelope.id == good["messageId"]
    assert untouched["accepted"] == 1
    assert (taken["accepted"], len(taken["rejected"]), len(held["items"])) == (1, 1, 1)


@AWAY
async def test_readiness_names_what_is_away(
    own_ingest: Ingest, own_postgres: Postgres, away: Away
) -> None:
    async with away(own_postgres):
        unready = await own_ingest.client.get("/readyz")
        live = await own_ingest.client.get("/livez")

    checks = unready.json()["checks"]
    assert (unready.status_code, live.status_code) == (503, 200)
    assert [name for name, check in checks.items() if not check["ok"]] == ["keyring"]
