"""What was said about who is one person with whom: rows to edges and back."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

import asyncpg

from rapport_profile.domain.claims import Held
from rapport_profile.domain.identity import Cut, Edge

_COLUMNS: Final = """
merge_key, a::text, b::text, kind_a, kind_b, time, recordedtime, event_key, known_at, explicit,
cut_at, cut_by, refused, announced
"""

_TOUCHING: Final = f"""
SELECT {_COLUMNS} FROM identity_edge WHERE a = ANY($1::text[]::uuid[])
UNION ALL
SELECT {_COLUMNS} FROM identity_edge WHERE b = ANY($1::text[]::uuid[])
"""  # noqa: S608 - nothing but constants

_KNOWN: Final = f"""
SELECT {_COLUMNS} FROM identity_edge WHERE merge_key = ANY($1::bytea[])
UNION ALL
SELECT {_COLUMNS} FROM identity_edge WHERE explicit AND event_key = ANY($2::bytea[])
"""  # noqa: S608 - nothing but constants

_NEW: Final = """
INSERT INTO identity_edge (
    merge_key, a, b, kind_a, kind_b, time, recordedtime, event_key, known_at, explicit
) SELECT * FROM unnest(
    $1::bytea[], $2::text[]::uuid[], $3::text[]::uuid[], $4::text[], $5::text[], $6::timestamptz[],
    $7::timestamptz[], $8::bytea[], $9::timestamptz[], $10::bool[]
) ON CONFLICT DO NOTHING RETURNING merge_key
"""

_NEW_CUTS: Final = """
INSERT INTO identity_edge (merge_key, explicit, cut_at, cut_by)
SELECT key, false, at, by
FROM unnest($1::bytea[], $2::timestamptz[], $3::bytea[]) AS new (key, at, by)
ON CONFLICT (merge_key) DO UPDATE SET cut_at = EXCLUDED.cut_at, cut_by = EXCLUDED.cut_by
WHERE identity_edge.a IS NULL
    AND (EXCLUDED.cut_at, EXCLUDED.cut_by) < (identity_edge.cut_at, identity_edge.cut_by)
"""

_UPDATE: Final = """
UPDATE identity_edge
SET a = new.a::uuid, b = new.b::uuid, kind_a = new.kind_a, kind_b = new.kind_b, time = new.time,
    recordedtime = new.recordedtime, event_key = new.event_key, known_at = new.known_at,
    explicit = new.explicit, cut_at = new.cut_at, cut_by = new.cut_by, refused = new.refused,
    announced = new.announced
FROM unnest(
    $1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
    $7::timestamptz[], $8::bytea[], $9::timestamptz[], $10::bool[], $11::timestamptz[],
    $12::bytea[], $13::text[], $14::text[]
) AS new (
    merge_key, a, b, kind_a, kind_b, time, recordedtime, event_key, known_at, explicit, cut_at,
    cut_by, refused, announced
)
WHERE identity_edge.merge_key = new.merge_key
"""


_FORGET: Final = "DELETE FROM identity_edge WHERE merge_key = ANY($1::bytea[])"


class Fetches(Protocol):
    """A connection of the driver, a pool, or a snapshot."""

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]: ...  # noqa: ANN401 - asyncpg's own signature


class Known(NamedTuple):
    """What is stored under some keys."""

    edges: Mapping[bytes, Held]
    cuts: Mapping[bytes, Cut]
    """Cuts of what was never told."""


async def load_cluster(connection: Fetches, subjects: Collection[str]) -> list[Edge]:
    """All edges of the clusters that the subjects are in, cut and refused ones too.

    Breadth first, a statement for each step away from the subjects.
    """
    return [held.edge for held in (await load_held(connection, subjects)).values()]


async def load_held(connection: Fetches, subjects: Collection[str]) -> dict[bytes, Held]:
    """The same, as they are stored, by merge key."""
    found: dict[bytes, Held] = {}
    seen: set[str] = set()
    frontier = set(subjects)
    while frontier:
        seen |= frontier
        rows = await connection.fetch(_TOUCHING, sorted(frontier))
        fresh = {row[0]: _held(row) for row in rows if row[0] not in found}
        found |= fresh
        frontier = {end for held in fresh.values() for end in (held.edge.a, held.edge.b)} - seen
    return found


async def load_known(connection: Fetches, keys: Collection[bytes], cut: Collection[bytes]) -> Known:
    """What is stored under these merge keys; `cut`: keys of merges, with every edge of them."""
    edges: dict[bytes, Held] = {}
    cuts: dict[bytes, Cut] = {}
    for row in await connection.fetch(_KNOWN, [*keys, *cut], list(cut)):
        if row[1] is None:
            cuts[row[0]] = Cut(row[0], row[10], row[11])
        else:
            edges[row[0]] = _held(row)
    return Known(edges, cuts)


async def add(connection: Fetches, edges: Iterable[Edge]) -> set[bytes]:
    """Stores edges unless another worker has just told them; the merge keys of those stored."""
    rows = [
        (edge.merge_key, edge.a, edge.b, edge.kind_a, edge.kind_b, *edge.order, edge.known_at,
         edge.explicit)
        for edge in sorted(edges)
    ]  # fmt: skip
    if not rows:
        return set()
    return {row[0] for row in await connection.fetch(_NEW, *map(list, zip(*rows, strict=True)))}


async def add_cuts(connection: Fetches, cuts: Iterable[Cut]) -> None:
    """Remembers unmerges of what was never told; the first of a key is kept."""
    if rows := sorted(cuts):
        await connection.fetch(_NEW_CUTS, *map(list, zip(*rows, strict=True)))


async def save(connection: Fetches, changed: Iterable[Held]) -> None:
    rows = [
        (edge.merge_key, edge.a, edge.b, edge.kind_a, edge.kind_b, *edge.order, edge.known_at,
         edge.explicit, edge.cut_at, cut_by, refused, announced)
        for edge, cut_by, refused, announced in changed
    ]  # fmt: skip
    if rows:
        await connection.fetch(_UPDATE, *map(list, zip(*rows, strict=True)))


async def forget(connection: Fetches, keys: Collection[bytes]) -> None:
    await connection.fetch(_FORGET, list(keys))


def _held(row: asyncpg.Record) -> Held:
    merge_key, a, b, kind_a, kind_b, *rest = row
    time, recorded, key, known_at, explicit, cut_at, cut_by, refused, announced = rest
    order: tuple[datetime, datetime, bytes] = (time, recorded, key)
    edge = Edge(merge_key, a, b, kind_a, kind_b, order, known_at, explicit, cut_at)
    return Held(edge, cut_by, refused, announced)
