"""Connections that cannot hang, and schemas that are what the code expects."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

import asyncpg
from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from rapport_runtime.settings import Settings

TIMEOUTS: Final[Mapping[str, str]] = {
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    # A paused owner of a partition must give its row locks back.
    "idle_in_transaction_session_timeout": "10s",
    "tcp_user_timeout": "10s",
}

Tx: TypeAlias = "AsyncConnection | asyncpg.Connection[Any]"
"""A transaction: SQLAlchemy's, or one that was begun on a connection of the driver, where it costs
a fifth: no ping, no greenlet, no statement only to begin it."""

_CONNECT_SECONDS: Final = 5.0
_COMMAND_SECONDS: Final = 35.0
"""A little more than `statement_timeout`: reached only when the network is gone."""

_MIGRATION_LOCK: Final = 0x52415050


class OutdatedSchemaError(Exception):
    """The database has another schema than this code; the message names the command."""

    def __init__(self, package: str, found: str | None, wanted: str | None) -> None:
        super().__init__(
            f"the database is at revision {found}, {package} needs {wanted}: "
            f"run `python -m {package} migrate`"
        )


def create_engine(settings: Settings, schema: str | None = None) -> AsyncEngine:
    """The service's connection pool; every statement on it ends within 35 seconds.

    With a `schema`, statements see the tables of that schema and no others.
    """
    return create_async_engine(
        settings.database.url,
        pool_size=settings.database.pool,
        max_overflow=0,
        pool_timeout=_CONNECT_SECONDS,
        pool_pre_ping=True,
        connect_args={
            "timeout": _CONNECT_SECONDS,
            "command_timeout": _COMMAND_SECONDS,
            # Planning for JIT costs more than it saves on statements this short.
            "server_settings": {**TIMEOUTS, "jit": "off", **_search_path(schema)},
        },
    )


def create_patient_engine(settings: Settings, schema: str | None = None) -> AsyncEngine:
    """Connections for statements that read whole tables; each is closed after its use."""
    limits = {"lock_timeout": TIMEOUTS["lock_timeout"], "tcp_user_timeout": "10s"}
    return create_async_engine(
        settings.database.url,
        poolclass=NullPool,
        connect_args={
            "timeout": _CONNECT_SECONDS,
            "server_settings": {**limits, "jit": "off", **_search_path(schema)},
        },
    )


def _search_path(schema: str | None) -> Mapping[str, str]:
    return {} if schema is None else {"search_path": schema}


async def driver(connection: Tx) -> "asyncpg.Connection[Any]":
    """The asyncpg connection below, inside the same transaction; for COPY.

    SQLAlchemy begins lazily: without a statement of its own a COPY would commit by itself.
    """
    if not isinstance(connection, AsyncConnection):
        return connection
    raw = (await connection.get_raw_connection()).driver_connection
    assert isinstance(raw, asyncpg.Connection)  # noqa: S101 - for the type checker
    if not raw.is_in_transaction():
        await connection.execute(text("SELECT 1"))
    return raw


def listed(ids: Iterable[str]) -> str:
    """UUIDs, for `string_to_array($1, ',')`: the driver asks of each in a list what it is.

    An array in braces would be cheaper still, but its cast is done again for each row.
    """
    return ",".join(ids)


async def migrate(package: str, url: str) -> None:
    """Bring the database to the newest schema of `package`, or wait for who is doing it.

    All of it is one transaction: after a crash the schema is the old one or the new one.
    """
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            await connection.run_sync(_upgrade, package)
    finally:
        await engine.dispose()


async def revise(package: str, url: str, message: str) -> None:
    """Write the next migration of `package` from the difference between tables and database."""
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_autogenerate, package, message)
    finally:
        await engine.dispose()


async def require_current_schema(engine: AsyncEngine, package: str) -> None:
    """Raise OutdatedSchemaError unless the database has the schema that `package` ships."""
    async with engine.connect() as connection:
        found = await connection.run_sync(_current_revision)
    wanted = ScriptDirectory.from_config(_config(package)).get_current_head()
    if found != wanted:
        raise OutdatedSchemaError(package, found, wanted)


def run_migrations(metadata: MetaData) -> None:
    """All that a service's `migrations/env.py` does, on the connection that `migrate` opened."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def _upgrade(connection: Connection, package: str) -> None:
    command.upgrade(_config(package, connection), "head")


def _autogenerate(connection: Connection, package: str, message: str) -> None:
    command.revision(_config(package, connection), message=message, autogenerate=True)


def _current_revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config(package: str, connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", f"{package}:migrations")
    config.set_main_option("path_separator", "os")
    return config
