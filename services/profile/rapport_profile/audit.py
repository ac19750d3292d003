"""Who read what of whom: written down, and safe on disk, before the answer leaves."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

import asyncpg
import msgspec
from rapport_runtime.failure import DRIVER
from rapport_runtime.http.problems import ApiError
from sqlalchemy import (
    ARRAY,
    TIMESTAMP,
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from rapport_profile.tables import metadata

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", TIMESTAMP(timezone=True), nullable=False),
    Column("key_id", Text, nullable=False, comment="Public id of the caller's API key"),
    Column("principal", Text, nullable=False, comment="Name of the caller"),
    Column("purpose", Text, comment="The X-Purpose header"),
    Column("action", Text, nullable=False, comment="profile, timeline or search"),
    Column("person", Uuid(as_uuid=False), nullable=False, comment="Subject id at that time"),
    Column("fields", ARRAY(Text), nullable=False, comment="Parts of the person that were shown"),
    Column("personal", Boolean, nullable=False, comment="Whether personal fields were shown"),
    Column("request_id", Text, nullable=False),
    Column("chain", Uuid(as_uuid=False), nullable=False, comment="One run of one process"),
    Column("number", BigInteger, nullable=False, comment="Place in the chain, from 0"),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 of the one before and this"),
    UniqueConstraint("chain", "number", name="audit_chain"),
    comment="Every answered read of a person; triggers refuse to change or delete a row",
)
Index("audit_of_person", audit.c.person, audit.c.id)

_INSERT: Final = """
INSERT INTO audit (at, key_id, principal, purpose, action, person, fields, personal, request_id,
    chain, number, digest)
SELECT at, key_id, principal, purpose, action, person::uuid, string_to_array(fields, ','),
    personal, request_id, $10::text::uuid, number, digest
FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
    $7::text[], $8::bool[], $9::text[], $11::bigint[], $12::bytea[])
AS read (at, key_id, principal, purpose, action, person, fields, personal, request_id,
    number, digest)
ORDER BY number
"""

GENESIS: Final = bytes(32)
_ATTEMPT_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One person was read by one caller."""

    at: datetime
    key_id: str
    principal: str
    purpose: str | None
    action: str
    person: str
    fields: Sequence[str]
    personal: bool
    request_id: str


class AuditUnavailableError(ApiError):
    """The read could not be written down, so it is not answered."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__(
            "the read could not be written into the audit trail, so it is not answered; try again",
            headers={"retry-after": "1"},
        )


def digest(before: bytes, read: Read, number: int) -> bytes:
    """The link of a chain: changing, moving or leaving out a row breaks every later link."""
    row = (
        number, read.at.astimezone(UTC).isoformat(), read.key_id, read.principal, read.purpose,
        read.action, read.person, list(read.fields), read.personal, read.request_id,
    )  # fmt: skip
    return sha256(before + msgspec.json.encode(row)).digest()


class AuditTrail:
    """Writes the reads that wait at the same moment in one statement, and lets them go after it.

    While one group is on its way to the disk the next one gathers, so a hundred readers a second
    cost some tens of commits, and each waits for one or two.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool
        self._waiting: list[tuple[Sequence[Read], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._chain, self._number, self._digest = _new_chain()

    async def record(self, reads: Sequence[Read]) -> None:
        """Returns once the reads are committed. Raises AuditUnavailableError."""
        if not reads:
            return
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((reads, committed))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        await committed

    async def _write_all(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            failed = True
            try:
                async with asyncio.timeout(_ATTEMPT_SECONDS):
                    await self._write([read for reads, _ in group for read in reads])
                failed = False
            except (*DRIVER, OSError):
                # Whether the group was committed is unknown: the next one begins a new chain.
                self._chain, self._number, self._digest = _new_chain()
            finally:
                for _, committed in group:
                    _settle(committed, failed=failed)

    async def _write(self, reads: Sequence[Read]) -> None:
        number, before = self._number, self._digest
        links: list[tuple[int, bytes]] = []
        for read in reads:
            before = digest(before, read, number)
            links.append((number, before))
            number += 1
        columns: list[Any] = [list(column) for column in zip(*map(_row, reads), strict=True)]
        numbers, digests = map(list, zip(*links, strict=True))
        async with self._pool.acquire() as connection:
            await connection.execute(_INSERT, *columns, self._chain, numbers, digests)
        self._number, self._digest = number, before


def _new_chain() -> tuple[str, int, bytes]:
    return str(uuid4()), 0, GENESIS


def _settle(committed: "asyncio.Future[None]", *, failed: bool) -> None:
    if committed.done():  # the caller has gone away
        return
    if failed:
        committed.set_exception(AuditUnavailableError())
    else:
        committed.set_result(None)


def _row(read: Read) -> tuple[object, ...]:
    return (
        read.at.astimezone(UTC), read.key_id, read.principal, read.purpose, read.action,
        read.person, ",".join(read.fields), read.personal, read.request_id,
    )  # fmt: skip
