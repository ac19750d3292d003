"""Works out whom a batch's events make one person, or two people again."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rapport_runtime.database import driver
from rapport_runtime.subscription import Derived
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_profile import announce, edges, purge, store
from rapport_profile.domain.claims import Claims, Held, cut_for, retell
from rapport_profile.domain.identity import Edge, Limits, Partition, partition, told_twice
from rapport_profile.domain.people import Row, buried
from rapport_profile.edges import Fetches, Known


class Identified(NamedTuple):
    """What came out."""

    persons: Sequence[Sequence[str]] = ()
    """Everybody whose person may be another one now."""
    derived: Sequence[Derived] = ()


@dataclass(slots=True)
class _Told:
    """What is stored, and which of it nobody had told before this batch."""

    known: Known
    new: Collection[bytes]


async def identify(
    tx: AsyncConnection, claims: Claims, rows: dict[str, Row], limits: Limits
) -> Identified:
    """Stores what the batch says about identity, and draws the conclusions.

    `rows` holds the locked rows of the batch's subjects, and gets those of everybody who is
    connected with them by anything ever said, where something new was said.
    """
    claims.without(claims.erased.keys() | buried(rows))
    if not (claims.edges or claims.cuts or claims.erased):
        return Identified()
    connection = await driver(tx)
    told = await _tell(connection, claims)
    seeds = _seeds(claims, told, rows)
    if not seeds:
        return Identified()
    held = await _lock_cluster(tx, connection, seeds, rows)
    held = await _spare(connection, held, claims, buried(rows))
    after = retell(held, claims, told.known.cuts)
    verdict = partition(_standing(after, claims.erased), limits)
    changes = _judge(held, after, verdict, told.new, claims.erased)
    derived = announce.announce(changes, claims)
    stored = [change.after for change in changes if change.after != held.get(change.key)]
    await edges.save(connection, stored)
    await purge.purge(connection, claims.erased)
    return Identified(verdict.persons, derived)


async def _tell(connection: Fetches, claims: Claims) -> _Told:
    """Looks up what the batch says, and adds what was never said.

    Adding waits for another worker that is just telling the same, or taking it back; so the
    second look sees what that one has committed.
    """
    # Of a merge of three, the edge that has the merge's own key may be one of an erased subject.
    merges = {edge.order[2] for edge in claims.edges.values() if edge.explicit}
    keys = claims.edges.keys() | merges
    known = await edges.load_known(connection, keys, claims.cuts)
    unsaid = [
        edge
        for key, edge in claims.edges.items()
        if key not in known.edges and key not in known.cuts
    ]
    said = [*known.edges.values(), *(Held(edge) for edge in claims.edges.values())]
    met = {cut.merge_key for held in said if (cut := cut_for(held.edge, claims.cuts)) is not None}
    idle = [cut for key, cut in claims.cuts.items() if key not in met]
    if not (unsaid or idle):
        return _Told(known, frozenset())
    new = await edges.add(connection, unsaid)
    await edges.add_cuts(connection, idle)
    if len(new) < len(unsaid) or idle:
        known = await edges.load_known(connection, keys, claims.cuts)
    return _Told(known, new)


def _seeds(claims: Claims, told: _Told, rows: Mapping[str, Row]) -> set[str]:
    """Subjects for whom something has changed."""
    seeds: set[str] = set()
    known = told.known.edges
    for key, edge in claims.edges.items():
        before = known.get(key)
        if before is None or key in told.new or told_twice(before.edge, edge) != before.edge:
            seeds.update((edge.a, edge.b))
    for held in known.values():
        if cut_for(held.edge, claims.cuts) is not None:
            seeds.update((held.edge.a, held.edge.b))
    for subject in claims.erased:
        row = rows[subject]
        root = rows[row.merged_into] if row.merged_into else row
        seeds.update((subject, *(root.members or ())))
    return seeds


async def _lock_cluster(
    tx: AsyncConnection, connection: Fetches, seeds: Collection[str], rows: dict[str, Row]
) -> dict[bytes, Held]:
    """All edges around the subjects, with everybody's row locked.

    Whoever tells an edge locks, or inserts, the rows of both its ends: what is read after the
    last lock was taken stays as it is.
    """
    asked = set(rows) | set(seeds)
    await store.lock_rows(tx, seeds, rows)
    while True:
        held = await edges.load_held(connection, seeds)
        ends = {end for one in held.values() for end in (one.edge.a, one.edge.b)} - asked
        if not ends:
            return held
        await store.lock_rows(tx, ends, rows)
        asked |= ends


async def _spare(
    connection: Fetches, held: dict[bytes, Held], claims: Claims, gone: Collection[str]
) -> dict[bytes, Held]:
    """The edges without those of subjects that another worker has erased just now.

    A row that was not there to be locked at first may turn out to be a tombstone.
    """
    claims.without(gone)
    dead = {key for key, one in held.items() if one.edge.a in gone or one.edge.b in gone}
    if not dead:
        return held
    await edges.forget(connection, dead)
    return {key: one for key, one in held.items() if key not in dead}


def _standing(after: Mapping[bytes, Held], erased: Collection[str]) -> list[Edge]:
    edges_ = (held.edge for held in after.values())
    return [edge for edge in edges_ if edge.a not in erased and edge.b not in erased]


def _judge(
    held: Mapping[bytes, Held],
    after: Mapping[bytes, Held],
    verdict: Partition,
    new: Collection[bytes],
    erased: Collection[str],
) -> list[announce.Change]:
    """What became of each edge."""
    return [
        announce.Change(
            before=None if key in new else held.get(key),
            after=one._replace(refused=verdict.refused.get(key)),
            is_erased=one.edge.a in erased or one.edge.b in erased,
        )
        for key, one in after.items()
    ]
