"""Databases on a PostgreSQL server, ours or somebody's, reached through an admin URL."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg

from rapport_cli.failure import CliError

_CONNECT_SECONDS = 10.0


class UnreachableDatabaseError(CliError):
    code = "RPT-D005"
    exit_code = 4

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"PostgreSQL at {redacted(url)} cannot be used: {reason}.",
            "Check host, port, user and password; the user must be allowed to create databases.",
        )


class StaleDatabasesError(CliError):
    code = "RPT-D006"
    exit_code = 3

    def __init__(self, names: Iterable[str], url: str) -> None:
        super().__init__(
            f"The embedded broker starts with an empty log, but {', '.join(names)} at"
            f" {redacted(url)} hold what an earlier log said.",
            "Drop these databases, or use `--broker apache` or `--broker HOST:PORT`.",
        )


async def create_database(admin_url: str, name: str, template: str = "template1") -> str:
    """Makes a database as a copy of `template` and returns its URL."""
    statement = f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy'
    async with _connection(admin_url) as connection:
        await connection.execute(statement)
    return database_url(admin_url, name)


async def drop_database(admin_url: str, name: str) -> None:
    """Removes a database if it exists, whoever is connected to it."""
    async with _connection(admin_url) as connection:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def database_names(admin_url: str) -> set[str]:
    """All databases of the server. Raises UnreachableDatabaseError."""
    try:
        async with _connection(admin_url) as connection:
            rows = await connection.fetch("SELECT datname FROM pg_database")
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise UnreachableDatabaseError(admin_url, str(error) or type(error).__name__) from error
    return {row["datname"] for row in rows}


async def prepare_databases(
    admin_url: str, names: Iterable[str], *, fresh: bool, ours: bool
) -> dict[str, str]:
    """Makes the databases that are missing, and returns the URL of each by name.

    `fresh`: what they hold belongs to a log that is gone. Dropped if the server is `ours`, else
    raises StaleDatabasesError.
    """
    wanted = list(names)
    existing = await database_names(admin_url) & set(wanted)
    if fresh and existing:
        if not ours:
            raise StaleDatabasesError(sorted(existing), admin_url)
        for name in existing:
            await drop_database(admin_url, name)
        existing = set()
    for name in wanted:
        if name not in existing:
            await create_database(admin_url, name)
    return {name: database_url(admin_url, name) for name in wanted}


def database_url(admin_url: str, name: str) -> str:
    """The URL of another database of the same server, as SQLAlchemy wants it."""
    parts = urlsplit(admin_url)
    return parts._replace(scheme="postgresql+asyncpg", path=f"/{name}").geturl()


def redacted(url: str) -> str:
    """A URL without its password."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":***@")).geturl()


@asynccontextmanager
async def _connection(admin_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    plain = urlsplit(admin_url)._replace(scheme="postgresql").geturl()
    connection = await asyncpg.connect(plain, timeout=_CONNECT_SECONDS)
    try:
        yield connection
    finally:
        await connection.close()
