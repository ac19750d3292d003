"""What was said about who is one person with whom: rows to edges."""

from collections.abc import Collection
from typing import Any, Final, Protocol

import asyncpg

from rapport_profile.domain.identity import Edge

COLUMNS: Final = """
merge_key, a::text, b::text, kind_a, kind_b, time, recordedtime, event_key, known_at, explicit,
cut_at
"""
"""In the order of `edge_of`."""

_TOUCHING: Final = f"""
SELECT {COLUMNS} FROM identity_edge WHERE a = ANY($1::text[]::uuid[])
UNION
SELECT {COLUMNS} FROM identity_edge WHERE b = ANY($1::text[]::uuid[])
"""  # noqa: S608 - nothing but constants


class Fetches(Protocol):
    """A connection of the driver, a pool, or a snapshot."""

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]: ...  # noqa: ANN401 - asyncpg's own signature


async def load_cluster(connection: Fetches, subjects: Collection[str]) -> list[Edge]:
    """All edges of the clusters that the subjects are in, cut and refused ones too.

    Breadth first, a statement for each step away from the subjects.
    """
    edges: dict[bytes, Edge] = {}
    seen: set[str] = set()
    frontier = set(subjects)
    while frontier:
        seen |= frontier
        for row in await connection.fetch(_TOUCHING, sorted(frontier)):
            edge = edge_of(row)
            edges[edge.merge_key] = edge
        frontier = {end for edge in edges.values() for end in (edge.a, edge.b)} - seen
    return list(edges.values())


def edge_of(row: asyncpg.Record) -> Edge:
    """The edge of a row that names both its subjects."""
    merge_key, a, b, kind_a, kind_b, time, recorded, key, known_at, explicit, cut_at, *_ = row
    return Edge(merge_key, a, b, kind_a, kind_b, (time, recorded, key), known_at, explicit, cut_at)
