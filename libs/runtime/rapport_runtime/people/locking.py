"""Looks up who is one person with whom, and keeps it so until the transaction ends."""

from collections.abc import Collection, Iterable
from typing import Any, Final, Protocol

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_runtime.database import driver, listed
from rapport_runtime.people.groups import Pair, Persons, gather
from rapport_runtime.pool import Reads

_LINKS: Final = """
WITH RECURSIVE member (id) AS (
    SELECT unnest(string_to_array($1, ',')::uuid[])
    UNION
    SELECT other.id FROM member CROSS JOIN LATERAL (
        SELECT b FROM person_link WHERE a = member.id AND NOT is_cut
        UNION ALL
        SELECT a FROM person_link WHERE b = member.id AND NOT is_cut
    ) AS other (id)
)
SELECT a::text, b::text FROM member JOIN person_link ON a = id AND NOT is_cut
"""

_ERASED: Final = """
SELECT subject_id::text FROM person_subject
WHERE subject_id = ANY(string_to_array($1, ',')::uuid[]) AND erased_at IS NOT NULL
"""

_ADD: Final = """
INSERT INTO person_subject (subject_id)
SELECT id FROM unnest(string_to_array($1, ',')::uuid[]) AS new (id)
WHERE NOT EXISTS (SELECT FROM person_subject WHERE subject_id = id)
ORDER BY id ON CONFLICT DO NOTHING
"""

_LOCK: Final = """
SELECT subject_id::text, erased_at IS NOT NULL FROM person_subject
WHERE subject_id = ANY(string_to_array($1, ',')::uuid[]) ORDER BY subject_id FOR UPDATE
"""


_MOST_CIRCLES: Final = 1


class Fetches(Protocol):
    """A connection of the driver, a pool, or a snapshot."""

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]: ...  # noqa: ANN401 - asyncpg's own signature


class GrewError(Exception):
    """Somebody linked a further subject before the locks were taken."""

    def __init__(self, subjects: Collection[str]) -> None:
        super().__init__()
        self.subjects = subjects


async def lock_persons(tx: AsyncConnection, subjects: Collection[str]) -> Persons:
    """The subjects' people; nobody else changes or locks them until the transaction ends.

    For all that a transaction treats in one call: rows are locked in the order of their ids, so
    that two of them wait for each other, never in a circle.
    """
    return await lock(await driver(tx), subjects)


async def read_persons(reads: Reads, subjects: Collection[str]) -> Persons:
    """The subjects' people as they are now, for queries."""
    links = await _load(reads, subjects)
    everybody = _ends(links).union(subjects)
    erased = await reads.fetch(_ERASED, listed(everybody))
    return gather(subjects, links, {row[0] for row in erased})


async def lock(connection: "asyncpg.Connection[Any]", subjects: Collection[str]) -> Persons:
    """The same on the driver's connection, inside a transaction."""
    wanted = set(subjects)
    while wanted:
        try:
            # To take further locks out of order could end in a circle: all are given back first.
            async with connection.transaction():
                return await lock_once(connection, wanted)
        except GrewError as error:
            wanted.update(error.subjects)
    return Persons({})


async def lock_once(connection: "asyncpg.Connection[Any]", subjects: Collection[str]) -> Persons:
    """The same, under the caller's savepoint; GrewError: to be rolled back and tried again.

    What rolls back has to be the very savepoint under which the locks are taken. Who waits for a
    row goes on to wait for the whole transaction as soon as the savepoint in which it was locked
    is released, and stays first in the row's queue; a rollback of an outer savepoint would not
    wake them, and the next try would queue behind them: a circle.
    """
    wanted = _ends(await _load(connection, subjects)).union(subjects)
    # All are added before any is locked: nobody waits for a new row while holding an old one.
    everybody = listed(sorted(wanted))
    await connection.execute(_ADD, everybody)
    rows = await connection.fetch(_LOCK, everybody)
    # Whoever links two subjects holds the locks of both: what is read now stays so.
    links = await _load(connection, wanted)
    if not _ends(links) <= wanted:
        raise GrewError(wanted | _ends(links))
    return gather(sorted(wanted), links, {row[0] for row in rows if row[1]})


async def _load(reads: Fetches, subjects: Collection[str]) -> list[Pair]:
    """All links that hold, of everybody who is connected with the subjects."""
    return [(row[0], row[1]) for row in await reads.fetch(_LINKS, listed(subjects))]


def _ends(links: Iterable[Pair]) -> set[str]:
    return {end for link in links for end in link}
