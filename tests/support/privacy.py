"""Keys, people and keyrings to test with."""

import base64
import os
from uuid import uuid4

import asyncpg
from rapport_privacy.crypto import DataKey, MasterKey
from rapport_privacy.keyring import Keyring, Resolved


def a_master_key() -> MasterKey:
    return MasterKey.from_base64(base64.b64encode(os.urandom(32)).decode())


def a_data_key() -> DataKey:
    return DataKey(str(uuid4()), os.urandom(32))


async def rows_of(url: str, query: str) -> list[asyncpg.Record]:
    """What is in a keyring's database, read behind its back."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        rows: list[asyncpg.Record] = await connection.fetch(query)
        return rows
    finally:
        await connection.close()


async def resolved(keyring: Keyring, **identifiers: str) -> Resolved:
    """Who is behind the identifiers; for people who were not erased."""
    (answer,) = await keyring.resolve([identifiers])
    assert isinstance(answer, Resolved)
    return answer


def people_of(answer: Resolved) -> list[str]:
    """All subjects of one event."""
    return [subject for subject in (answer.subject, *answer.linked) if subject is not None]


def a_name() -> str:
    return f"u-{uuid4().hex}"


def an_email() -> str:
    return f"{uuid4().hex}@example.com"
