"""Deleting what waits in quarantine of people who were erased, whichever came first."""

from typing import Final

from rapport_privacy.keyring import Keyring
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_ingest.tables import quarantine

_C: Final = quarantine.c
_PAGE_ROWS: Final = 5_000


async def forget_erased(engine: AsyncEngine, keyring: Keyring) -> int:
    """Looks through all that is kept; how many rows went.

    It asks about the names of every row, not only of new erasures: a refusal about somebody who
    was erased long ago is as much theirs. Raises KeyringUnavailableError.
    """
    gone, after = 0, 0
    while True:
        query = (
            select(_C.id, _C.names)
            .where(_C.id > after, _C.names != [])
            .order_by(_C.id)
            .limit(_PAGE_ROWS)
        )
        async with engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        if not rows:
            return gone
        after = rows[-1].id
        names = {name for row in rows for name in row.names}
        erased = await keyring.suppressed(names)
        ids = [row.id for row in rows if not erased.isdisjoint(row.names)]
        if ids:
            async with engine.begin() as connection:
                await connection.execute(delete(quarantine).where(_C.id.in_(ids)))
            gone += len(ids)
