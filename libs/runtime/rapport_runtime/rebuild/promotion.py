"""One transaction makes another version the live one. Readers and the live worker go on.

The worker does not notice: its offsets stay as they are, since the other version is at exactly
the same ones. Readers wait while the tables change places, some milliseconds.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_runtime.contract import HaltedError
from rapport_runtime.failpoint import failpoint
from rapport_runtime.failure import sqlstate
from rapport_runtime.progress import select_positions
from rapport_runtime.rebuild import parked, schemas
from rapport_runtime.rebuild.level import (
    NEARLY_LEVEL,
    NeverLevelError,
    follow,
    lag,
    positions_in,
    reach,
)
from rapport_runtime.rebuild.projection import Site

_TRIES: Final = 20
_PAUSE_SECONDS: Final = 0.5

_LAST_SECONDS: Final = 4.0
"""For the last events: a worker that waits for its offsets gives up after 5 s, and tries again."""

_WAIT_FOR_WRITERS: Final = "SET LOCAL lock_timeout = '10s'"
_WAIT_FOR_READERS: Final = "SET LOCAL lock_timeout = '300ms'"
"""Who asks for tables meanwhile waits behind us: rather let them pass, and try again."""

_LOCKED: Final = frozenset({"55P03", "40P01"})
"""SQLSTATE: lock not available in time, deadlock."""


class AheadError(HaltedError):
    """The version has applied what the live one has not: what follows from it would be lost."""

    code = "version_ahead"

    def __init__(self, schema: str, events: int) -> None:
        super().__init__(f"{schema} is {events} events ahead of the live version: build it anew")


Finish = Callable[[AsyncConnection], Awaitable[None]]


class NotPromotedError(HaltedError):
    """The moment of exchange never came."""

    code = "not_promoted"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the versions were not exchanged in {_TRIES} tries: {reason}")


async def exchange_versions(site: Site, schema: str, finish: Finish) -> None:
    """The version in `schema` becomes the live one, and the live one goes there.

    `finish` runs in the same transaction. Raises HaltedError when it does not come to that.
    """
    reason = ""
    for _ in range(_TRIES):
        await follow(site, schema)
        try:
            async with site.engine.begin() as connection:
                await _exchange(site, schema, connection)
                await finish(connection)
                failpoint("before_promotion")
        except DBAPIError as error:
            if sqlstate(error) not in _LOCKED:
                raise
            reason = "the tables were in use"
        except (NeverLevelError, TimeoutError):
            reason = "the live version was always ahead"
        else:
            failpoint("after_promotion")
            return
        site.tell("waiting", {"reason": reason})
        await asyncio.sleep(_PAUSE_SECONDS)
    raise NotPromotedError(reason)


async def _exchange(site: Site, schema: str, connection: AsyncConnection) -> None:
    projection = site.projection
    await connection.execute(text(_WAIT_FOR_WRITERS))
    # From here on the live worker waits: its next batch begins with its offsets.
    await _lock(connection, "projector_offset", "SHARE ROW EXCLUSIVE")
    await _last_events(site, schema, connection)
    failpoint("before_exchange")
    await schemas.require_same_shape(connection, projection, schema)
    names = ", ".join(table.name for table in projection.tables)
    # Who applies a parked event again has its row first and the tables afterwards.
    await _lock(connection, "parked_event", "EXCLUSIVE")
    await _lock(connection, names, "EXCLUSIVE")
    for statement in projection.carry_over(schemas.beside(schema)):
        await connection.execute(statement)
    await parked.exchange(connection, projection.subscription.name, schema)
    # Until here everybody could read.
    await connection.execute(text(_WAIT_FOR_READERS))
    await _lock(connection, names, "ACCESS EXCLUSIVE")
    await schemas.exchange(connection, projection.tables, schema)


async def _last_events(site: Site, schema: str, connection: AsyncConnection) -> None:
    """Bring the version exactly level, while the live one stands still."""
    live = await select_positions(connection, site.projection.subscription.name)
    if (behind := lag(live, await positions_in(site, schema))) > NEARLY_LEVEL:
        raise NeverLevelError(behind)
    async with asyncio.timeout(_LAST_SECONDS):
        await reach(site, schema, live)
    if ahead := lag(await positions_in(site, schema), live):
        raise AheadError(schema, ahead)


async def _lock(connection: AsyncConnection, tables: str, mode: str) -> None:
    await connection.execute(text(f"LOCK TABLE {tables} IN {mode} MODE"))
