"""The index of names: no name stands in it, and nothing of somebody who was erased."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from rapport_events.envelope import Record
from rapport_privacy.crypto import MasterKey
from rapport_privacy.keyring import Keyring, KeyringUnavailableError
from rapport_profile import names
from sqlalchemy import text

from tests.support.events import happened
from tests.support.privacy import a_name, resolved
from tests.support.profile_house import House
from tests.support.sealed import told

_WORDS = ("Wilhelmina", "Featherstonehaugh", "Vandelay")


async def a_registration(house: House, user_id: str) -> Record:
    first, last, company = _WORDS
    return await told(
        house.keyring, {"user_id": user_id}, "customer.identified",
        personal={"traits": {"first_name": first, "last_name": last, "company": company}},
    )  # fmt: skip


async def count(house: House, table: str) -> int:
    async with house.resources.engine.connect() as connection:
        return int(await connection.scalar(text(f"SELECT count(*) FROM {table}")))  # noqa: S608


async def index_all(house: House) -> int:
    events = 0
    while (turn := await names.index_once(house.resources.engine, house.keyring)).events:
        events += turn.events
    return events


async def found(house: House) -> int:
    return len((await house.read("/v1/profiles?q=feather"))["profiles"])


async def dump(house: House) -> bytes:
    """Every row of every table, as PostgreSQL writes it into a binary dump."""
    url = house.resources.settings.database.url.replace("+asyncpg", "")
    connection = await asyncpg.connect(url)
    whole = io.BytesIO()
    try:
        tables = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        for (table,) in tables:
            await connection.copy_from_table(table, output=whole, format="binary")
    finally:
        await connection.close()
    return whole.getvalue()


async def test_no_name_stands_in_the_database(house: House) -> None:
    await house.tell(await a_registration(house, a_name()))
    await index_all(house)
    assert await found(house) == 1

    written = (await dump(house)).lower()

    assert b"customer.identified" in written
    assert [word for word in _WORDS if word[:6].lower().encode() in written] == []


async def test_the_index_may_be_emptied_and_filled_again(house: House) -> None:
    records = [await a_registration(house, a_name()) for _ in range(3)]
    await house.tell(*records, happened("page.viewed", records[0].envelope.subject, page="home"))
    await index_all(house)
    before = await count(house, "name_prefix")

    queued = await names.requeue(house.resources.engine)
    emptied = await count(house, "name_prefix"), await found(house)
    indexed = await index_all(house)

    assert (queued, indexed, emptied) == (3, 3, (0, 0))
    assert (await count(house, "name_prefix"), await found(house)) == (before, 3)


async def test_what_was_erased_leaves_the_queue_and_nothing_else(house: House) -> None:
    who = a_name()
    await house.tell(await a_registration(house, who))
    subject = (await resolved(house.keyring, user_id=who)).subject
    assert subject is not None

    await house.keyring.erase([subject], certificate_id="cert-1")

    assert await index_all(house) == 1
    assert (await count(house, "name_prefix"), await count(house, "name_queue")) == (0, 0)


async def test_an_erasure_takes_the_index_along_and_a_slow_indexer_adds_nothing(
    house: House,
) -> None:
    who = a_name()
    await house.tell(await a_registration(house, who))
    subject = (await resolved(house.keyring, user_id=who)).subject
    erased = happened("customer.erased", subject, certificate_id="cert-1")
    async with house.resources.engine.begin() as tx:
        rows = await names.tokens_of(tx, house.keyring, await queued(house))
    await index_all(house)

    await house.tell(erased)
    async with house.resources.engine.begin() as tx:
        await names.add(tx, rows)

    assert rows
    assert await count(house, "name_prefix") == 0


async def queued(house: House) -> list[bytes]:
    async with house.resources.engine.connect() as connection:
        keys = await connection.execute(text("SELECT event_key FROM name_queue ORDER BY id"))
        return [key for (key,) in keys]


@asynccontextmanager
async def indexing(house: House, keyring: str) -> AsyncIterator[None]:
    """The indexer of a worker, with a keyring of its own."""
    stop = asyncio.Event()
    master = MasterKey.from_base64(house.secrets.master_key)
    attempts = 0

    async def open_keyring() -> Keyring:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise KeyringUnavailableError("away")
        return await Keyring.open(keyring, master)

    task = asyncio.create_task(names.index(house.resources, open_keyring, stop))
    yield
    stop.set()
    await task


async def test_indexers_outlive_a_keyring_that_is_away(house: House) -> None:
    settings = house.resources.settings.keyring
    assert settings is not None
    records = [await a_registration(house, a_name()) for _ in range(8)]
    token = await house.tell(*records)

    async with indexing(house, settings.url), indexing(house, settings.url):
        page = await house.read("/v1/profiles?q=wil", consistency_token=token, prefer="wait=10")

    assert len(page["profiles"]) == len(records)
    assert await count(house, "name_queue") == 0
