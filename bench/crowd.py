"""Many customers with names, orders, segments and consents, straight into the databases.

Events go through the projector's own `apply`; only the index of names is written by COPY, as
a million people would take the indexer an hour of small transactions.
"""

import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from rapport_events.codec import decode, encode
from rapport_events.envelope import Record, event_key
from rapport_privacy.crypto import MasterKey, seal
from rapport_privacy.keyring import Keyring, Resolved
from rapport_profile import names
from rapport_profile.consumer import TOPICS, apply
from rapport_profile.domain.names import beginnings, words
from rapport_runtime.database import driver
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

_BATCH = 5_000
_SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ha", "ki", "lo", "ma", "ne", "pi", "ro", "su", "ta")
SEGMENTS = ("consumer", "business", "student", "vip", "press")
_SHARES = (600, 250, 130, 19, 1)
_DROP = """
ALTER TABLE name_prefix DROP CONSTRAINT name_prefix_pkey;
DROP INDEX name_prefix_of_subject
"""
_MAKE = (
    "ALTER TABLE name_prefix ADD PRIMARY KEY (token, subject_id)",
    "CREATE INDEX name_prefix_of_subject ON name_prefix (subject_id)",
)


def a_name(chance: random.Random, variety: int) -> str:
    """Some names are common and most are not."""
    number = int(variety * chance.random() ** 3)
    own = random.Random(number)
    return "".join(own.choice(_SYLLABLES) for _ in range(own.choice((2, 3, 3, 4)))).title()


def called(number: int) -> tuple[str, str]:
    """First and last name of a customer."""
    chance = random.Random(number)
    return a_name(chance, 2_000), a_name(chance, 200_000)


async def fill(stack: dict[str, Any], people: int) -> None:
    """Customers `user_id:u-0`, `u-1` …"""
    master = (Path(stack["state_dir"]) / "secrets" / "master.key").read_text().strip()
    urls: dict[str, str] = stack["databases"]
    keyring = await Keyring.open(urls["rapport_keyring"], MasterKey.from_base64(master))
    engine = create_async_engine(urls["rapport_profile"], connect_args={"command_timeout": 3_600})
    try:
        async with engine.begin() as tx:
            await (await driver(tx)).execute(_DROP)
        for first in range(0, people, _BATCH):
            numbers = range(first, min(people, first + _BATCH))
            async with engine.begin() as tx:
                await _add(tx, keyring, numbers)
            sys.stdout.write(f"\r{numbers.stop:,} customers")
            sys.stdout.flush()
        await _finish(engine)
    finally:
        await engine.dispose()
        await keyring.close()


async def _add(tx: AsyncConnection, keyring: Keyring, numbers: range) -> None:
    answers = await keyring.resolve([{"user_id": f"u-{number}"} for number in numbers])
    records: list[Record] = []
    tokens: set[tuple[int, str]] = set()
    for number, person in zip(numbers, answers, strict=True):
        assert isinstance(person, Resolved)  # noqa: S101 - nobody was erased
        assert person.subject is not None  # noqa: S101 - each has an identifier
        records += _life(number, person)
        for name in called(number):
            for begun in (one for word in words(name) for one in beginnings(word)):
                tokens.add((names.token(keyring, begun), person.subject))
    await apply(tx, records)
    connection = await driver(tx)
    await connection.copy_records_to_table("name_prefix", records=sorted(tokens))
    await connection.execute("DELETE FROM name_queue")


def _life(number: int, person: Resolved) -> Iterator[Record]:
    chance = random.Random(-number)
    joined = datetime.now(UTC) - timedelta(days=chance.randrange(300, 900))
    first, last = called(number)
    blob = seal(
        person.key,
        subject=person.subject,
        event_id=f"c-{number}",
        type_="customer.created.v1",
        plaintext=orjson.dumps({"first_name": first, "last_name": last}),
    )
    data = {
        "segment": chance.choices(SEGMENTS, _SHARES)[0],
        "email_consent": chance.random() < 0.3,
        "pii": blob,
    }
    yield _record(f"c-{number}", "customer.created.v1", person.subject, joined, data)
    for order in range(chance.choice((0, 1, 1, 2))):
        bought = datetime.now(UTC) - timedelta(days=300 * chance.random())
        name = f"o-{number}-{order}"
        data = {"order": name, "amount": 4_990, "currency": "EUR"}
        yield _record(name, "order.placed.v1", person.subject, bought, data)


def _record(
    event_id: str, type_: str, subject: str | None, time: datetime, data: dict[str, Any]
) -> Record:
    value = encode(
        {"id": event_id, "source": "/bench", "type": type_, "time": time,
         "recordedtime": datetime.now(UTC), "subject": subject, "channel": "web"},
        data,
    )  # fmt: skip
    return Record(
        topic=TOPICS[0],
        partition=0,
        offset=0,
        key=event_key("/bench", event_id),
        envelope=decode(value),
        value=value,
    )


async def _finish(engine: AsyncEngine) -> None:
    async with engine.begin() as tx:
        await tx.execute(text("SET LOCAL statement_timeout = 0"))
        await tx.execute(text("SET LOCAL maintenance_work_mem = '1GB'"))
        for statement in _MAKE:
            await tx.execute(text(statement))
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("VACUUM ANALYZE"))
