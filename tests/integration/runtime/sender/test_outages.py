"""A sender whose database goes away for a moment."""

import asyncio

from rapport_runtime.sender import deliver
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tests.support.sending import Office, Pigeon, requested

_CUT = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_WAITING = text("SELECT count(*) FROM delivery WHERE state = 'waiting'")


async def test_what_was_sent_while_the_database_was_away_is_noted_and_not_sent_again(
    office: Office,
) -> None:
    asked, pigeon = [requested() for _ in range(60)], Pigeon(seconds=0.05)
    await office.hear(*asked)
    stop, other = asyncio.Event(), create_async_engine(office.engine.url, poolclass=NullPool)
    delivering = asyncio.create_task(deliver(office.sender(pigeon, at_once=5), stop))

    cuts, waiting = 0, len(asked)
    async with asyncio.timeout(60):
        while waiting and not delivering.done():
            await asyncio.wait([delivering], timeout=0.15)
            async with other.connect() as connection:
                if cuts < 3:
                    await connection.execute(_CUT)
                    cuts += 1
                waiting = await connection.scalar(_WAITING) or 0
    stop.set()
    await delivering
    await other.dispose()
    # Connections that were cut while they lay idle are no use to the test either.
    await office.engine.dispose()

    facts = [fact["data"]["action"] for fact in await office.facts()]
    assert sorted(pigeon.actions) == sorted(facts) == sorted(await office.rows())
