"""States, totals and rows to the database and back, a batch at a time."""

import struct
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

import asyncpg
import orjson
from msgspec.structs import astuple
from rapport_runtime.database import driver
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_metrics.domain.entities import Ref, State, pack, unpack
from rapport_metrics.domain.facts import Dims
from rapport_metrics.domain.outcome import Cell, Outcome

_CAUSES: Final = 10
_MINUTES_A_DAY: Final = 1_440
_FIRST_DAY: Final = datetime(1970, 1, 1, tzinfo=UTC).date()

_ENTITY: Final = ("kind", "id", "state", "first_at", "last_at")

_PURCHASE: Final = ("order_id", "subject_id", "at", "net", "currency")

_LOCK: Final = """
SELECT kind, id, state FROM entity
WHERE (kind, id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
ORDER BY kind, id FOR UPDATE
"""

_UPDATE: Final = """
UPDATE entity SET state = new.state, first_at = new.first_at, last_at = new.last_at
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bigint[], $5::bigint[])
    AS new (kind, id, state, first_at, last_at)
WHERE entity.kind = new.kind AND entity.id = new.id
"""

_NAME_DIMS: Final = """
INSERT INTO dims (id, channel, team, agent, topic, priority, about, segment, currency)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
    $7::text[], $8::text[], $9::text[])
ON CONFLICT DO NOTHING
"""

_ADD: Final = """
WITH new AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::int[], $5::bigint[], $6::bigint[])
        AS new (metric, bucket, dims, bin, num, den)
), of_hours AS (
    INSERT INTO cell (metric, bucket, dims, bin, shard, num, den)
    SELECT metric, bucket, dims, bin, $7, num, den FROM new
    ON CONFLICT (metric, bucket, dims, bin, shard)
    DO UPDATE SET num = cell.num + excluded.num, den = cell.den + excluded.den
)
INSERT INTO daily (metric, day, dims, bin, shard, num, den)
SELECT metric, bucket / 1440, dims, bin, $7, sum(num), sum(den) FROM new
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
ON CONFLICT (metric, day, dims, bin, shard)
DO UPDATE SET num = daily.num + excluded.num, den = daily.den + excluded.den
"""

_PUT_PURCHASES: Final = """
INSERT INTO purchase (order_id, subject_id, at, net, currency)
SELECT * FROM unnest($1::text[], $2::text[]::uuid[], $3::bigint[], $4::bigint[], $5::text[])
ON CONFLICT (order_id) DO UPDATE SET subject_id = excluded.subject_id, at = excluded.at,
    net = excluded.net, currency = excluded.currency
"""

_DROP_PURCHASES: Final = "DELETE FROM purchase WHERE order_id = ANY($1::text[])"

_DROP_CONTRACTS: Final = "DELETE FROM contract WHERE subscription_id = ANY($1::text[])"

_PUT_CONTRACTS: Final = """
INSERT INTO contract (subscription_id, since, until, subject_id)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[]::uuid[])
"""

_ADD_ACTIVITY: Final = """
INSERT INTO activity (subject_id, hour) SELECT * FROM unnest($1::text[]::uuid[], $2::int[])
ON CONFLICT DO NOTHING
"""

_PUT_PEOPLE: Final = """
INSERT INTO person (subject_id, root, created, erased)
SELECT * FROM unnest($1::text[]::uuid[], $2::text[]::uuid[], $3::bigint[], $4::bigint[])
ON CONFLICT (subject_id) DO UPDATE SET root = excluded.root, created = excluded.created,
    erased = excluded.erased
"""

_CLOSED: Final = "SELECT closed_until FROM closing WHERE id = 1 FOR SHARE"

_RESTATE: Final = """
INSERT INTO restatement (metric, day, num, den, causes, kinds)
VALUES ($1, $2, $3, $4, $5, $6)
"""


async def lock_entities(tx: AsyncConnection, refs: Collection[Ref]) -> dict[Ref, State]:
    """Those of the entities that there are, locked until the commit.

    In the order of their names, so that two workers rarely wait for each other in a circle; where
    they do, the database ends one of them and its batch is tried again.
    """
    connection = await driver(tx)
    kinds, ids = [ref.kind for ref in refs], [ref.id for ref in refs]
    return {
        Ref(kind, id_): unpack(kind, state)
        for kind, id_, state in await connection.fetch(_LOCK, kinds, ids)
    }


async def save(tx: AsyncConnection, outcome: Outcome, known: Collection[Ref], shard: int) -> None:
    """Writes what a batch changed. `known`: entities that had a row before.

    New rows are a plain COPY, not an upsert: if another worker made one of them meanwhile, this
    batch must fail and be read again, or what the other one counted would be lost.
    """
    connection = await driver(tx)
    await _save_states(connection, outcome, known)
    if outcome.cells:
        await _add_cells(connection, outcome.cells, shard)
    await _save_rows(connection, outcome, known)


async def closed_until(tx: AsyncConnection) -> int:
    """The minute before which days are published; none is published until this batch commits."""
    connection = await driver(tx)
    return int(await connection.fetchval(_CLOSED) or 0)


async def restate(
    tx: AsyncConnection, outcome: Outcome, closed: int, types: Mapping[bytes, str]
) -> None:
    """Writes down what the batch changed in days that are published. `types`: by event key."""
    connection = await driver(tx)
    changed: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    causes: dict[tuple[str, int], set[bytes]] = defaultdict(set)
    for cell, (num, den) in outcome.cells.items():
        if cell.bucket < closed:
            place = (cell.metric, cell.bucket // _MINUTES_A_DAY)
            changed[place][0] += num
            changed[place][1] += den
            causes[place].add(outcome.causes[cell])
    rows = [
        _restatement(metric, day, changed[metric, day], causes[metric, day], types)
        for metric, day in sorted(changed)
        if any(changed[metric, day])
    ]
    if rows:
        await connection.executemany(_RESTATE, rows)


def dims_id(dims: Dims) -> int:
    """A number for a combination of dimensions, the same everywhere and always: 64 bits."""
    digest = blake2b(orjson.dumps(astuple(dims)), digest_size=8).digest()
    number: int = struct.unpack("<q", digest)[0]
    return number


def _restatement(
    metric: str, day: int, total: Sequence[int], causes: Iterable[bytes], types: Mapping[bytes, str]
) -> tuple[object, ...]:
    keys = sorted(causes)
    kinds = Counter(types.get(key, "") for key in keys)
    date = _FIRST_DAY + timedelta(days=day)
    return (metric, date, *total, keys[:_CAUSES], orjson.dumps(kinds).decode())


async def _save_states(
    connection: "asyncpg.Connection[Any]", outcome: Outcome, known: Collection[Ref]
) -> None:
    rows = {
        ref: (ref.kind, ref.id, pack(state), *outcome.spans.get(ref, (None, None)))
        for ref, state in outcome.states.items()
    }
    new = [row for ref, row in rows.items() if ref not in known]
    if new:
        await connection.copy_records_to_table("entity", records=new, columns=_ENTITY)
    changed = [row for ref, row in rows.items() if ref in known]
    if changed:
        await connection.execute(_UPDATE, *map(list, zip(*changed, strict=True)))


async def _add_cells(
    connection: "asyncpg.Connection[Any]", cells: Mapping[Cell, tuple[int, int]], shard: int
) -> None:
    ids = {dims: dims_id(dims) for dims in {cell.dims for cell in cells}}
    named = [(id_, *astuple(dims)) for dims, id_ in sorted(ids.items(), key=lambda item: item[1])]
    await connection.execute(_NAME_DIMS, *map(list, zip(*named, strict=True)))
    rows = sorted(
        (cell.metric, cell.bucket, ids[cell.dims], cell.bin, num, den)
        for cell, (num, den) in cells.items()
    )
    columns = [list(column) for column in zip(*rows, strict=True)]
    await connection.execute(_ADD, *columns, shard)


async def _save_rows(
    connection: "asyncpg.Connection[Any]", outcome: Outcome, known: Collection[Ref]
) -> None:
    gone = [order for order, purchase in outcome.purchases.items() if purchase is None]
    if gone:
        await connection.execute(_DROP_PURCHASES, gone)
    bought = sorted(
        (order, *purchase) for order, purchase in outcome.purchases.items() if purchase is not None
    )
    new = [row for row in bought if Ref("order", row[0]) not in known]
    if new:
        await connection.copy_records_to_table("purchase", records=new, columns=_PURCHASE)
    changed = [row for row in bought if Ref("order", row[0]) in known]
    if changed:
        await connection.execute(_PUT_PURCHASES, *map(list, zip(*changed, strict=True)))
    await _save_contracts(connection, outcome)
    if outcome.activity:
        columns = zip(*sorted(outcome.activity), strict=True)
        await connection.execute(_ADD_ACTIVITY, *map(list, columns))
    people = sorted((name, *astuple(row)) for name, row in outcome.people.items())
    if people:
        await connection.execute(_PUT_PEOPLE, *map(list, zip(*people, strict=True)))


async def _save_contracts(connection: "asyncpg.Connection[Any]", outcome: Outcome) -> None:
    """All spans of a subscription anew: a late event may join two of them, or part one."""
    if not outcome.contracts:
        return
    await connection.execute(_DROP_CONTRACTS, sorted(outcome.contracts))
    rows = [
        (name, one.since, one.until, one.subject)
        for name, spans in sorted(outcome.contracts.items())
        for one in spans
    ]
    if rows:
        await connection.execute(_PUT_CONTRACTS, *map(list, zip(*rows, strict=True)))
