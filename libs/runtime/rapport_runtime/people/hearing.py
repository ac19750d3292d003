"""Keeps what a service knows of its people level with what the profile service concludes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg
from rapport_events.envelope import Record
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_runtime.database import driver
from rapport_runtime.people import locking
from rapport_runtime.people.groups import Persons, changed
from rapport_runtime.people.said import Link, Said, listen

_KNOWN_ENDS: Final = """
SELECT a::text, b::text FROM person_link WHERE merge_key = ANY($1::bytea[]) AND a IS NOT NULL
"""

_SAVE: Final = """
INSERT INTO person_link AS known (merge_key, a, b, is_cut)
SELECT key, a::uuid, b::uuid, is_cut
FROM unnest($1::bytea[], $2::text[], $3::text[], $4::bool[]) AS new (key, a, b, is_cut)
ORDER BY key
ON CONFLICT (merge_key) DO UPDATE
SET a = coalesce(known.a, EXCLUDED.a), b = coalesce(known.b, EXCLUDED.b),
    is_cut = known.is_cut OR EXCLUDED.is_cut
RETURNING a::text, b::text
"""
"""In either order a merge and its unmerge come to the same."""

_ERASE: Final = """
UPDATE person_subject SET erased_at = LEAST(erased_at, new.at)
FROM unnest($1::text[]::uuid[], $2::timestamptz[]) AS new (id, at) WHERE subject_id = new.id
"""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a batch changed."""

    erased: frozenset[str] = frozenset()
    """Subjects that were erased, perhaps again."""
    joined: frozenset[str] = frozenset()
    """Subjects who are one person with others than before, more of them or fewer."""


class _MergedMeanwhileError(Exception):
    """Another transaction told the merge while this one was telling its unmerge."""


async def hear(tx: AsyncConnection, records: Sequence[Record], also: Collection[str] = ()) -> Heard:
    """Takes merges, unmerges and erasures of `rapport.customers.v1`; skips all other records.

    `also`: whom the transaction is going to lock by `lock_persons`, so that all its locks are
    taken in one order.
    """
    said = listen(records)
    if not (said.links or said.erased):
        return Heard()
    connection = await driver(tx)
    wanted = set(also)
    while True:
        try:
            # One savepoint, and none inside it: see `lock_once`.
            async with connection.transaction():
                return await _hear(connection, said, wanted)
        except locking.GrewError as error:
            wanted.update(error.subjects)
        except _MergedMeanwhileError:
            continue


async def _hear(connection: "asyncpg.Connection[Any]", said: Said, also: Collection[str]) -> Heard:
    known = await connection.fetch(_KNOWN_ENDS, list(said.links))
    touched = said.subjects.union(*(tuple(row) for row in known))
    before = await locking.lock_once(connection, touched.union(also))
    await _save(connection, said.links, before)
    await _erase(connection, said.erased)
    # All that can be linked now is locked already.
    after = await locking.read_persons(connection, touched)
    return Heard(frozenset(said.erased), changed(before, after))


async def _save(
    connection: "asyncpg.Connection[Any]", links: Mapping[bytes, Link], locked: Persons
) -> None:
    if not links:
        return
    rows = [(key, *(link.pair or (None, None)), link.is_cut) for key, link in sorted(links.items())]
    saved = await connection.fetch(_SAVE, *map(list, zip(*rows, strict=True)))
    ends = {end for row in saved for end in row if end is not None}
    if not ends <= set(locked.subjects):
        raise _MergedMeanwhileError


async def _erase(connection: "asyncpg.Connection[Any]", erased: Mapping[str, datetime]) -> None:
    if erased:
        await connection.execute(_ERASE, list(erased), list(erased.values()))
