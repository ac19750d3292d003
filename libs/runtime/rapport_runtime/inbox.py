"""Events count once: their keys are kept for 90 days beside what they changed."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import blake2b
from typing import Any, Final

import asyncpg
import structlog
from rapport_events.envelope import Record
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rapport_runtime.contract import Sifted
from rapport_runtime.database import driver
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.pause import pause

RETENTION: Final = timedelta(days=90)

_MANY: Final = 1_000
"""From so many keys on it pays to hope that all are new: a COPY takes half as long."""

_COLUMNS: Final = ("projector", "event_key", "digest")

_PRUNE_ROWS: Final = 10_000
_PRUNE_SECONDS: Final = 600.0

_REMEMBER: Final = """
    INSERT INTO inbox (projector, event_key, digest)
    SELECT $1, new.key, new.digest FROM unnest($2::bytea[], $3::bytea[]) AS new(key, digest)
    ON CONFLICT (projector, event_key) DO NOTHING
    RETURNING event_key
"""

_RECALL: Final = """
    SELECT event_key, digest FROM inbox WHERE projector = $1 AND event_key = ANY($2::bytea[])
"""

_PRUNE: Final = text("""
    DELETE FROM inbox WHERE (projector, event_key) IN (
        SELECT projector, event_key FROM inbox
        WHERE seen_at < now() - CAST(:retention AS interval) LIMIT :rows
    )
""")

log = structlog.get_logger(__name__)


async def fresh(projector: str, connection: AsyncConnection, records: Sequence[Record]) -> Sifted:
    """Remember the batch's keys; what was not known before is new."""
    asyncpg_connection = await driver(connection)
    first = {record.key: digest(record) for record in reversed(records)}
    # In key order: two workers with the same keys then wait for each other, never in a circle.
    keys = sorted(first)
    if len(keys) >= _MANY and await _copy(asyncpg_connection, projector, first, keys):
        return sift(records, {}) if len(keys) < len(records) else Sifted(records)
    digests = [first[key] for key in keys]
    rows = await asyncpg_connection.fetch(_REMEMBER, projector, keys, digests)
    if len(rows) == len(records):
        return Sifted(records)
    inserted = {row[0] for row in rows}
    repeated = [key for key in keys if key not in inserted]
    known = dict(await asyncpg_connection.fetch(_RECALL, projector, repeated))
    return sift(records, known)


async def _copy(
    connection: "asyncpg.Connection[Any]",
    projector: str,
    digests: Mapping[bytes, bytes],
    keys: Sequence[bytes],
) -> bool:
    """Remember all keys, or none because one of them is known."""
    rows = [(projector, key, digests[key]) for key in keys]
    try:
        async with connection.transaction():
            await connection.copy_records_to_table("inbox", records=rows, columns=_COLUMNS)
    except asyncpg.UniqueViolationError:
        return False
    return True


def sift(records: Sequence[Record], known: Mapping[bytes, bytes]) -> Sifted:
    """Tell new events from repeats, given the digests of the keys that are known already.

    Repeats within the batch count as well: the first of a key is the event.
    """
    seen = dict(known)
    new: list[Record] = []
    conflicts: list[Record] = []
    for record in records:
        before = seen.get(record.key)
        if before is None:
            seen[record.key] = digest(record)
            new.append(record)
        elif before != digest(record):
            conflicts.append(record)
    return Sifted(new, conflicts)


def digest(record: Record) -> bytes:
    """What tells a repeat from another event under the same id.

    The fingerprint that ingest made of what the publisher sent; without one, the data itself
    (times of receipt differ between repeats and must not count).
    """
    fingerprint = record.envelope.fingerprint
    if fingerprint is not None:
        return fingerprint.encode()
    return blake2b(record.envelope.data, digest_size=16).digest()


async def prune(connection: AsyncConnection, retention: timedelta = RETENTION) -> int:
    """Forget up to 10,000 keys older than `retention`; how many there were."""
    removed = await connection.execute(_PRUNE, {"retention": retention, "rows": _PRUNE_ROWS})
    return int(removed.rowcount)


async def keep_pruned(
    engine: AsyncEngine, stop: asyncio.Event, retention: timedelta = RETENTION
) -> None:
    """Prune every ten minutes until `stop`; a service runs this beside its subscription."""
    while not stop.is_set():
        removed = 0
        try:
            async with engine.begin() as connection:
                removed = await prune(connection, retention)
        except WAITED_FOR as error:
            if not is_environment(error):
                raise
            log.warning("inbox not pruned", reason=type(error).__name__)
        if removed < _PRUNE_ROWS:
            await pause(stop, _PRUNE_SECONDS)
