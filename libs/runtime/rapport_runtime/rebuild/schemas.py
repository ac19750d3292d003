"""Versions of a projection are PostgreSQL schemas of one database, with tables of equal names.

Statements name no schema, so the same code fills any version: its connections' search_path says
which. A build has its own of every table that the service has: nothing of it can reach the live
version by mistake.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import MetaData, Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_runtime.contract import HaltedError
from rapport_runtime.rebuild.projection import Beside, Projection

_SWAP: Final = "projection_swap"

_SHAPE: Final = text("""
    SELECT c.relname, 'column', a.attnum::text || ' ' || a.attname,
        format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = CAST(CAST(:schema AS text) AS regnamespace)
        AND c.relname = ANY(CAST(:tables AS text[])) AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT tablename, 'index', indexname,
        replace(indexdef, ' ON ' || schemaname || '.', ' ON ')
    FROM pg_indexes WHERE schemaname = :schema AND tablename = ANY(CAST(:tables AS text[]))
    ORDER BY 1, 2, 3
""")


class OtherShapeError(HaltedError):
    """The tables of a version are not what the live ones are: a migration came in between."""

    code = "other_shape"

    def __init__(self, schema: str, name: str) -> None:
        super().__init__(f"{schema} has another {name} than the live version: a migration has come")


async def exists(connection: AsyncConnection, schema: str) -> bool:
    found = await connection.scalar(text("SELECT to_regnamespace(:name)"), {"name": schema})
    return found is not None


async def create(connection: AsyncConnection, projection: Projection, schema: str) -> None:
    """An empty version, in the current transaction."""
    await connection.execute(text(f"CREATE SCHEMA {schema}"))
    copies = MetaData(schema=schema)
    for table in projection.metadata.sorted_tables:
        table.to_metadata(copies, schema=schema)
    await connection.run_sync(copies.create_all, checkfirst=False)
    for statement in projection.seed(beside(schema)):
        await connection.execute(statement)


async def drop(connection: AsyncConnection, schema: str) -> None:
    """Remove a version if it is there."""
    await connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))


async def require_same_shape(
    connection: AsyncConnection, projection: Projection, schema: str
) -> None:
    """Raise OtherShapeError unless the tables are built as the live ones are."""
    names = [table.name for table in projection.tables]
    live = await _shape(connection, await _live_schema(connection), names)
    other = await _shape(connection, schema, names)
    for here, there in zip(live, other, strict=False):
        if here != there:
            raise OtherShapeError(schema, f"{here[1]} {here[0]}.{here[2]}")
    if len(live) != len(other):
        raise OtherShapeError(schema, "number of columns or indexes")


async def analyze(connection: AsyncConnection, projection: Projection, schema: str) -> None:
    """Let the planner know the tables before the first reader comes."""
    for table in projection.tables:
        await connection.execute(text(f"ANALYZE {schema}.{table.name}"))


async def exchange(connection: AsyncConnection, tables: Sequence[Table], schema: str) -> None:
    """The live tables go to `schema` and those that are there become live, with their indexes."""
    live = await _live_schema(connection)
    await connection.execute(text(f"CREATE SCHEMA {_SWAP}"))
    for table in tables:
        for here, there in ((live, _SWAP), (schema, live), (_SWAP, schema)):
            move = f"ALTER TABLE {here}.{table.name} SET SCHEMA {there}"
            await connection.execute(text(move))
    await connection.execute(text(f"DROP SCHEMA {_SWAP}"))


async def rename(connection: AsyncConnection, schema: str, name: str) -> None:
    await connection.execute(text(f"ALTER SCHEMA {schema} RENAME TO {name}"))


async def _live_schema(connection: AsyncConnection) -> str:
    found = await connection.scalar(text("SELECT current_schema()"))
    return str(found)


async def _shape(
    connection: AsyncConnection, schema: str, tables: Sequence[str]
) -> list[tuple[str, ...]]:
    rows = await connection.execute(_SHAPE, {"schema": schema, "tables": tables})
    return [tuple(row) for row in rows]


def beside(schema: str) -> Beside:
    """Tables of the version in `schema`, for statements that name both."""
    copies = MetaData(schema=schema)
    return lambda table: table.to_metadata(copies, schema=schema)
