"""The connection to the keyring's database, and what is said when there is none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
from alembic.runtime.migration import MigrationContext
from rapport_runtime.failure import DRIVER, met_a_farewell
from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from rapport_privacy.migrations import VERSION_TABLE, newest_revision

SECONDS: Final = 2.0
"""How long a look at the keyring may take before its caller is told that there is none."""

WRITE_SECONDS: Final = 30.0
OPEN_SECONDS: Final = 10.0
"""Longer: when everything starts at once, everything is slow, and nobody waits for an answer."""

CONNECT_SECONDS: Final = 5.0
_POOL_SIZE: Final = 8

SERVER_SETTINGS: Final = {
    "application_name": "rapport-keyring",
    "jit": "off",
    "lock_timeout": "5s",
    "statement_timeout": f"{WRITE_SECONDS:.0f}s",
    "idle_in_transaction_session_timeout": "10s",
    "tcp_user_timeout": "10s",
}

_ENVIRONMENT: Final = ("08", "28", "3D", "40", "53", "55P03", "57", "58")
"""SQLSTATE classes that are about the server, the way to it, or a lock; not about our statement."""


class KeyringUnavailableError(Exception):
    """The keyring's database does not answer. Nothing was written in clear instead; try again."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The keyring's database cannot be used now: {reason}")


class OutdatedKeyringError(Exception):
    """The keyring's database has another schema than this code."""

    def __init__(self, found: str | None, wanted: str | None) -> None:
        super().__init__(
            f"The keyring's database is at revision {found}, this code needs {wanted}:"
            " run `rapport_privacy.migrations.migrate(url)`, as the services' `migrate` does."
        )


def create_engine(url: str) -> AsyncEngine:
    """Connections that give up in time and that do not hold locks when their owner is paused."""
    return create_async_engine(
        url,
        isolation_level="READ COMMITTED",
        pool_size=_POOL_SIZE,
        max_overflow=0,
        pool_timeout=SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "timeout": CONNECT_SECONDS,
            "command_timeout": WRITE_SECONDS,
            "server_settings": SERVER_SETTINGS,
        },
    )


@asynccontextmanager
async def reachable(seconds: float | None = SECONDS) -> AsyncIterator[None]:
    """Turns every way of not reaching the database into KeyringUnavailableError."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise KeyringUnavailableError("no answer in time") from error
    except PoolTimeoutError as error:
        raise KeyringUnavailableError("all connections are busy") from error
    except OSError as error:
        raise KeyringUnavailableError(f"no connection ({type(error).__name__})") from error
    except (DBAPIError, *DRIVER) as error:
        if not _is_environment(error):
            raise
        state = getattr(getattr(error, "orig", error), "sqlstate", None)
        raise KeyringUnavailableError(f"SQLSTATE {state or 'unknown'}") from error


def _is_environment(error: Exception) -> bool:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if met_a_farewell(error):
        return True
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    if isinstance(state, str):
        return state.startswith(_ENVIRONMENT)
    # Also what a wrong call gets; only these are about the connection or the pool.
    return isinstance(error, asyncpg.InterfaceError) and any(
        word in str(error) for word in ("connection", "pool")
    )


async def require_current_schema(tx: AsyncConnection) -> None:
    """Raises OutdatedKeyringError unless the database has the schema that is shipped."""
    found = await tx.run_sync(_revision)
    wanted = newest_revision()
    if found != wanted:
        raise OutdatedKeyringError(found, wanted)


async def vacuum(url: URL) -> None:
    """Writes the tables that held keys anew; what was deleted stays in no file of theirs."""
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text("VACUUM (FULL) data_key, alias"))
    finally:
        await engine.dispose()


def _revision(connection: Connection) -> str | None:
    options = {"version_table": VERSION_TABLE}
    return MigrationContext.configure(connection, opts=options).get_current_revision()
