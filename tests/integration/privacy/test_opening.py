"""A keyring opens with its own key and schema, and says plainly when it cannot be used."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from rapport_cli.stack.postgres import Postgres
from rapport_privacy.crypto import MasterKey
from rapport_privacy.database import OutdatedKeyringError
from rapport_privacy.keyring import Keyring, KeyringUnavailableError, WrongMasterKeyError
from rapport_privacy.migrations import VERSION_TABLE, migrate
from rapport_privacy.opening import rotate_master_key
from rapport_privacy.tables import metadata
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from tests.integration.privacy.conftest import OpenKeyring
from tests.support.privacy import a_master_key, a_name, resolved


@asynccontextmanager
async def a_server_that_never_answers() -> AsyncIterator[str]:
    """Accepts connections, and that is all."""
    writers: list[asyncio.StreamWriter] = []

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"postgresql+asyncpg://keyring:hunter2@127.0.0.1:{port}/keyring"
    finally:
        for writer in writers:
            writer.close()
        server.close()


async def given_up(
    ask: Callable[[], Awaitable[object]], seconds: float, why: str | None = None
) -> None:
    """Within so many seconds; in one of three tries, for a busy machine may be late with some."""
    took: list[float] = []
    while len(took) < 3 and min(took, default=seconds) >= seconds:
        began = time.monotonic()
        with pytest.raises(KeyringUnavailableError, match=why):
            await ask()
        took.append(time.monotonic() - began)
    assert min(took) < seconds


async def test_another_master_key_is_refused_with_what_to_do(
    open_keyring: OpenKeyring, keyring_url: str
) -> None:
    await open_keyring()

    with pytest.raises(WrongMasterKeyError, match="Start with the key that it was made with"):
        await Keyring.open(keyring_url, a_master_key())


async def test_services_that_open_a_new_keyring_at_once_share_it(
    open_keyring: OpenKeyring,
) -> None:
    keyrings = await asyncio.gather(*(open_keyring() for _ in range(6)))
    name = a_name()

    answers = await asyncio.gather(*(resolved(keyring, user_id=name) for keyring in keyrings))

    assert len({answer.subject for answer in answers}) == 1


async def test_a_new_master_key_opens_what_the_old_one_did(
    keyring: Keyring, keyring_url: str, master: MasterKey
) -> None:
    name, new = a_name(), a_master_key()
    ada = await resolved(keyring, user_id=name)
    sealed = keyring.seal_local("quarantine", b"payload")

    await rotate_master_key(keyring_url, master, new)

    after = await Keyring.open(keyring_url, new)
    assert (await resolved(after, user_id=name)).subject == ada.subject
    assert after.open_local("quarantine", sealed) == b"payload"
    assert (await resolved(keyring, user_id=name)).subject == ada.subject
    await after.close()
    with pytest.raises(WrongMasterKeyError):
        await Keyring.open(keyring_url, master)


async def test_only_the_present_master_key_can_be_replaced(
    open_keyring: OpenKeyring, keyring_url: str
) -> None:
    await open_keyring()

    with pytest.raises(WrongMasterKeyError):
        await rotate_master_key(keyring_url, a_master_key(), a_master_key())

    await open_keyring()


async def test_a_keyring_without_its_schema_says_how_to_make_it(
    database: str, master: MasterKey
) -> None:
    with pytest.raises(OutdatedKeyringError, match="migrate"):
        await Keyring.open(database, master)


async def test_services_that_migrate_at_once_do_it_once(database: str, master: MasterKey) -> None:
    await asyncio.gather(*(migrate(database) for _ in range(6)))
    await migrate(database)

    keyring = await Keyring.open(database, master)
    await keyring.check()
    await keyring.close()


async def test_the_migrations_make_the_tables_that_the_code_uses(keyring_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        options = {"version_table": VERSION_TABLE, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, metadata))

    engine = create_async_engine(keyring_url)
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()

    assert found == []


async def test_an_address_where_nobody_listens_is_reported_without_the_password(
    master: MasterKey,
) -> None:
    url = "postgresql+asyncpg://keyring:hunter2@127.0.0.1:1/keyring"

    with pytest.raises(KeyringUnavailableError) as failure:
        await Keyring.open(url, master)

    assert "hunter2" not in str(failure.value)


async def test_a_server_that_never_answers_is_given_up_in_time(master: MasterKey) -> None:
    async with a_server_that_never_answers() as url:
        await given_up(lambda: Keyring.open(url, master), 8)


async def test_a_database_that_does_not_exist_is_reported(
    keyring_url: str, master: MasterKey
) -> None:
    with pytest.raises(KeyringUnavailableError, match="3D000"):
        await Keyring.open(f"{keyring_url}_not", master)


async def test_a_keyring_recovers_when_its_database_does(
    own_postgres: Postgres, master: MasterKey
) -> None:
    url = await own_postgres.create_database("keyring")
    await migrate(url)
    keyring = await Keyring.open(url, master)
    name = a_name()
    ada = await resolved(keyring, user_id=name)

    own_postgres.kill9()
    for stranger in ({"user_id": a_name()}, {}):
        with pytest.raises(KeyringUnavailableError):
            await keyring.resolve([stranger])
    with pytest.raises(KeyringUnavailableError):
        await keyring.erase([str(ada.subject)], certificate_id="c-1")
    with pytest.raises(KeyringUnavailableError):
        await keyring.check()
    await own_postgres.start()

    assert (await resolved(keyring, user_id=name)).subject == ada.subject
    await keyring.check()
    await keyring.close()


async def test_a_database_that_hangs_is_given_up_in_time_and_serves_again_later(
    own_postgres: Postgres, master: MasterKey
) -> None:
    url = await own_postgres.create_database("keyring")
    await migrate(url)
    keyring = await Keyring.open(url, master)
    blocker = create_async_engine(url)

    async with blocker.connect() as connection:
        await connection.exec_driver_sql("LOCK TABLE alias IN ACCESS EXCLUSIVE MODE")
        await given_up(lambda: keyring.resolve([{"user_id": a_name()}]), 5, "no answer in time")
    await blocker.dispose()

    assert (await resolved(keyring, user_id=a_name())).subject
    await keyring.close()
