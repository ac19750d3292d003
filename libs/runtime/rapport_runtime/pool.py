"""Connections for reading: the driver's own, for each millisecond is one that somebody waits.

SQLAlchemy's pool asks a connection whether it lives before each use, and goes through a greenlet;
this one is told by the socket when a connection has died. Measured: 2 ms less for each read.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

import asyncpg
from sqlalchemy import make_url

from rapport_runtime.database import TIMEOUTS
from rapport_runtime.settings import DatabaseSettings

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Snapshot: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
"""A connection inside a read-only transaction that sees one moment of the database."""

Reads: TypeAlias = "Pool | Snapshot"

_CONNECT_SECONDS: Final = 5.0
_COMMAND_SECONDS: Final = 10.0
_ACQUIRE_SECONDS: Final = 2.0
_READY: Final = 4
"""Connections that are open before anybody asks: making one takes tens of milliseconds."""

_ARRAYS: Final = """
SELECT '{}'::bytea[], '{}'::smallint[], '{}'::int[], '{}'::bigint[], '{}'::bool[], '{}'::text[],
    '{}'::timestamptz[], '{}'::uuid[]
"""


async def open_pool(settings: DatabaseSettings, name: str) -> Pool:
    """To be closed by the caller; `name` is what PostgreSQL shows of it.

    Raises OSError and asyncpg.PostgresError.
    """
    url = make_url(settings.url).set(drivername="postgresql")
    return await asyncpg.create_pool(
        url.render_as_string(hide_password=False),
        min_size=min(_READY, settings.pool),
        max_size=settings.pool,
        timeout=_CONNECT_SECONDS,
        command_timeout=_COMMAND_SECONDS,
        init=_learn_types,
        reset=_leave_as_it_is,
        server_settings={**TIMEOUTS, "jit": "off", "application_name": name},
    )


@asynccontextmanager
async def snapshot(pool: Pool, hold: str | None = None) -> AsyncIterator[Snapshot]:
    """One moment of the database: an answer's data and its position belong together.

    `hold`: the first table of a projection that can be rebuilt.
    """
    async with (
        pool.acquire(timeout=_ACQUIRE_SECONDS) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        if hold is not None:
            # Before the moment is fixed: once tables have changed places with a rebuilt version,
            # an older moment would show the new ones without their last events.
            await connection.execute(f"LOCK TABLE {hold} IN ACCESS SHARE MODE")
        yield connection


async def _learn_types(connection: Snapshot) -> None:
    """The driver asks each connection once what an array type is: not while somebody waits."""
    await connection.fetch(_ARRAYS)


async def _leave_as_it_is(_: Snapshot) -> None:
    """Reads change nothing of their session, so there is nothing to reset."""
