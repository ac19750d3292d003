"""What one process destroys, the others forget at once, not only when their caches end."""

import asyncio
from time import monotonic
from uuid import uuid4

import asyncpg
import pytest
from rapport_privacy.crypto import ERASED
from rapport_privacy.keyring import Keyring, Resolved, Suppressed
from sqlalchemy import make_url

from tests.integration.privacy.conftest import OpenKeyring
from tests.support.privacy import a_name, an_email, people_of, resolved

SECONDS = 60.0


def a_certificate() -> str:
    return f"erasure-{uuid4()}"


class StoppedClock:
    """By this clock no cache ever ends."""

    def __call__(self) -> float:
        return 0.0


async def until_suppressed(keyring: Keyring, email: str) -> bool:
    """Whether it comes to refuse the address; asked by way of what it remembers alone."""
    deadline = monotonic() + SECONDS
    while monotonic() < deadline:
        if (await keyring.resolve([{"email": email}])) == [Suppressed(("email",))]:
            return True
        await asyncio.sleep(0.02)
    return False


async def test_an_erasure_by_another_process_takes_hold_at_once(open_keyring: OpenKeyring) -> None:
    running, eraser = await open_keyring(clock=StoppedClock()), await open_keyring()
    email = an_email()
    ada = await resolved(running, email=email)
    await running.keys([ada.key.kid])

    await eraser.erase(people_of(ada), certificate_id=a_certificate())

    assert await until_suppressed(running, email)
    assert await running.keys([ada.key.kid]) == {ada.key.kid: ERASED}


async def test_a_listener_that_was_cut_off_forgets_all_and_listens_again(
    open_keyring: OpenKeyring, keyring_url: str
) -> None:
    running, eraser = await open_keyring(clock=StoppedClock()), await open_keyring()
    first, second = an_email(), an_email()
    ada, ben = await resolved(running, email=first), await resolved(running, email=second)

    await cut_listeners(keyring_url)
    await eraser.erase(people_of(ada), certificate_id=a_certificate())
    assert await until_suppressed(running, first)

    await until_listening(keyring_url, number=2)
    await running.resolve([{"email": second}])
    await eraser.erase(people_of(ben), certificate_id=a_certificate())
    assert await until_suppressed(running, second)


async def test_what_is_remembered_stays_when_nothing_was_destroyed(
    open_keyring: OpenKeyring, keyring_url: str
) -> None:
    running = await open_keyring(clock=StoppedClock())
    await until_listening(keyring_url, number=1)
    name = a_name()
    ada = await resolved(running, anonymous_id=name)

    assert running.remembered([{"anonymous_id": name}]) == [ada]
    assert isinstance(ada, Resolved)


async def cut_listeners(url: str) -> None:
    await _run(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'rapport-keyring-listener' AND datname = current_database()",
    )


async def until_listening(url: str, number: int) -> None:
    deadline = monotonic() + SECONDS
    while monotonic() < deadline:
        found = await _run(
            url,
            # Idle: it has been told that it listens, and forgets what it knew till then.
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND state = 'idle'"
            " AND application_name = 'rapport-keyring-listener' AND datname = current_database()",
        )
        if found == number:
            return
        await asyncio.sleep(0.05)
    pytest.fail("nobody listens")


async def _run(url: str, statement: str) -> object:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()
