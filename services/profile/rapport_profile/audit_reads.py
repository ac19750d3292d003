"""Reading the audit trail, and proving that nobody changed it."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from rapport_runtime.pool import Snapshot
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_profile.audit import GENESIS, Read, audit, digest

_READS: Final = """
SELECT id, at, key_id, principal, purpose, action, person::text, fields, personal, request_id
FROM audit WHERE ($1::text[] IS NULL OR person = ANY($1::text[]::uuid[])) AND id < $2
ORDER BY id DESC LIMIT $3
"""


class Kept(NamedTuple):
    """A read as the trail has it."""

    id: int
    read: Read


class Broken(NamedTuple):
    """The first place of a chain that is not as it was written."""

    chain: str
    number: int


async def load_reads(
    snap: Snapshot, people: Sequence[str] | None, before: int, limit: int
) -> list[Kept]:
    """Reads of these persons (of anybody: None) with an id below `before`, newest first."""
    rows = await snap.fetch(_READS, people, before, limit)
    return [Kept(row["id"], _read(dict(row))) for row in rows]


async def verify_chains(connection: AsyncConnection) -> tuple[int, list[Broken]]:
    """How many reads there are, and where a chain was changed or lacks a row.

    A chain that was cut off at its end looks whole: compare the count with the one kept
    elsewhere.
    """
    query = select(audit).order_by(audit.c.chain, audit.c.number)
    broken: list[Broken] = []
    chain, number, before, count = "", 0, GENESIS, 0
    async with connection.stream(query) as rows:
        async for row in rows:
            count += 1
            if row.chain != chain:
                chain, number, before = row.chain, 0, GENESIS
            whole = row.number == number and row.digest == digest(
                before, _read(row._asdict()), number
            )
            if not whole and (not broken or broken[-1].chain != chain):
                broken.append(Broken(chain, row.number))
            number, before = row.number + 1, row.digest
    return count, broken


def _read(row: dict[str, Any]) -> Read:
    names = ("at", "key_id", "principal", "purpose", "action", "person", "personal", "request_id")
    return Read(**{name: row[name] for name in names}, fields=row["fields"])
