"""Reads answered by an API that is killed at any moment: each of them is in the audit trail."""

import asyncio
import random
import sys
from pathlib import Path

import httpx2
import pytest
from rapport_cli.stack.processes import Command, Process, free_port, port_answers, until_ready
from rapport_privacy.migrations import migrate as migrate_keyring
from rapport_profile.audit_reads import verify_chains
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.events import happened, new_subject
from tests.support.fixtures import MakeDatabase
from tests.support.profile_house import Secrets, environment_of, open_house, prepare_profile

SEED = 20261122
ROOT = Path(__file__).parents[2]
READERS = 6


async def read_on(url: str, key: str, answered: set[str]) -> None:
    """Reads one customer over and over, and keeps the request id of each answer."""
    headers = {"authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(headers=headers, timeout=5) as client:
        while True:
            try:
                answer = await client.get(url)
            except httpx2.TransportError:
                await asyncio.sleep(0.02)
                continue
            if answer.status_code == 200:
                answered.add(answer.headers["x-request-id"])


async def more(answered: set[str]) -> None:
    """Until a read is answered from now on."""
    before = len(answered)
    async with asyncio.timeout(60):
        while len(answered) == before:  # noqa: ASYNC110 - a set tells nobody
            await asyncio.sleep(0.002)


async def kill_again_and_again(api: Process, port: int, kills: int, answered: set[str]) -> None:
    """At any moment, but never before something was answered that may be lost."""
    chance = random.Random(SEED)

    async def listens() -> bool:
        return await port_answers("127.0.0.1", port)

    for _ in range(kills):
        api.start()
        await until_ready(api, listens, 60)
        await more(answered)
        await asyncio.sleep(chance.uniform(0.2, 0.7))
        await more(answered)
        api.kill9()


async def audited(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        count, broken = await verify_chains(connection)
        found = set(await connection.scalars(text("SELECT request_id FROM audit")))
    assert (count, broken) == (len(found), [])
    return found


@pytest.mark.parametrize(("bug", "kills"), [("", 10), ("audit_after_answer", 5)])
async def test_kill_9_of_the_api_loses_no_audit_row(
    new_database: MakeDatabase, tmp_path: Path, bug: str, kills: int
) -> None:
    database, keyring = await new_database(prepare_profile), await new_database(migrate_keyring)
    secrets, port = Secrets.make(tmp_path), free_port()
    environment = environment_of(database, keyring, secrets, port)
    command = Command(
        name="profile API",
        argv=(sys.executable, "-m", "tests.chaos.profile_api"),
        log=tmp_path / "api.log",
        env={**environment, "RAPPORT_SEEDED_BUG": bug, "PYTHONPATH": str(ROOT)},
    )
    async with open_house(database, keyring, secrets) as house:
        record = happened("order.placed", new_subject(), order="O-1")
        await house.tell(record)
        url = f"http://127.0.0.1:{port}/v1/profiles/{record.envelope.subject}"
        answered: set[str] = set()
        readers = [
            asyncio.create_task(read_on(url, secrets.keys["agent"], answered))
            for _ in range(READERS)
        ]
        await kill_again_and_again(Process(command), port, kills, answered)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        lost = answered - await audited(house.resources.engine)

    print(f"\naudit: seed={SEED} bug={bug!r} kills={kills} reads={len(answered)} lost={len(lost)}")  # noqa: T201
    assert len(answered) > kills
    assert bool(lost) is bool(bug)
