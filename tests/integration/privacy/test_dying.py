"""Whoever dies in the middle of an erasure has done all of it or nothing; repeating finishes it."""

import asyncio
import base64
import json
import os
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from rapport_privacy.crypto import ERASED, MasterKey
from rapport_privacy.keyring import Keyring, KeyringUnavailableError, Resolved, Suppressed

from tests.integration.privacy.conftest import OpenKeyring
from tests.support import eraser
from tests.support.privacy import a_name, an_email, people_of, resolved, rows_of

ROOT = Path(__file__).parents[3]

COUNTS = """
SELECT (SELECT count(*) FROM alias) AS aliases, (SELECT count(*) FROM data_key) AS keys,
    (SELECT count(*) FROM suppression) AS suppressions, (SELECT count(*) FROM erasure) AS entries,
    (SELECT count(*) FROM subject WHERE erased_at IS NOT NULL) AS erased
"""


@pytest.fixture(scope="session")
def secret() -> bytes:
    return os.urandom(32)


@pytest.fixture(scope="session")
def master(secret: bytes) -> MasterKey:
    return MasterKey(secret)


async def erase_and_die(url: str, secret: bytes, subjects: list[str], at: str, name: str) -> int:
    told = {
        "url": url,
        "master": base64.b64encode(secret).decode(),
        "subjects": subjects,
        "certificate": name,
        "die": at,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.eraser"), cwd=ROOT, stdin=asyncio.subprocess.PIPE
    )
    await process.communicate(json.dumps(told).encode())
    assert process.returncode is not None
    return process.returncode


@pytest.mark.parametrize(
    ("place", "done"), [(eraser.BEFORE, False), (eraser.COMMIT, False), (eraser.AFTER, True)]
)
async def test_a_killed_erasure_happened_as_a_whole_or_not_at_all(
    keyring: Keyring, keyring_url: str, secret: bytes, place: str, *, done: bool
) -> None:
    who = {"user_id": a_name(), "email": an_email()}
    ada = await resolved(keyring, **who)
    name = f"erasure-{uuid4()}"

    status = await erase_and_die(keyring_url, secret, people_of(ada), place, name)

    assert status == -9
    [left] = await rows_of(keyring_url, COUNTS)
    nothing, everything = (2, 2, 0, 0, 0), (0, 0, 2, 1, 2)
    assert tuple(left) == (everything if done else nothing)
    again = await keyring.erase(people_of(ada), certificate_id=name)
    assert (again.keys_destroyed, again.aliases) == (2, 2)
    assert tuple((await rows_of(keyring_url, COUNTS))[0]) == everything
    assert (await keyring.keys([ada.key.kid]))[ada.key.kid] is ERASED
    assert isinstance((await keyring.resolve([who]))[0], Suppressed)


async def test_an_erasure_whose_connection_is_cut_is_finished_by_repeating_it(
    open_keyring: OpenKeyring, keyring_url: str
) -> None:
    keyring, other = await open_keyring(), await open_keyring()
    ada = await resolved(keyring, user_id=a_name())
    async with other._engine.begin() as tx:
        # Holds the ledger, so that the erasure waits in the middle of its transaction.
        await tx.exec_driver_sql("SELECT * FROM keyring_meta FOR UPDATE")
        erasing = asyncio.create_task(keyring.erase(people_of(ada), certificate_id="cut"))
        cut = """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE wait_event_type = 'Lock' AND datname = current_database()
        """
        # Where we look too late, it has given up by itself after five seconds: the same to it.
        while not erasing.done() and not await rows_of(keyring_url, cut):
            await asyncio.wait({erasing}, timeout=0.02)
        with pytest.raises(KeyringUnavailableError):
            await erasing

    assert isinstance((await other.resolve([{}]))[0], Resolved)
    done = await keyring.erase(people_of(ada), certificate_id="cut")

    assert done.keys_destroyed == 1
