"""Who waits for a position learns of it at once, or soon when another process has it."""

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rapport_runtime.tables import TABLES

Place = tuple[str, int]
"""Topic and partition."""

Positions = Mapping[Place, int]
"""The next offset to be applied in each partition."""

_POLL_SECONDS: Final = 0.015
_MISTRUST_SECONDS: Final = 0.25
"""The table is asked this often even when this process owns the partition: it may lose it."""


class Progress:
    """Positions of the projectors of this process, and of others by their table."""

    def __init__(self) -> None:
        self._positions: dict[str, dict[Place, int]] = {}
        self._changed = asyncio.Event()
        self._polled: dict[str, tuple[float, Positions]] = {}
        self._polling = asyncio.Lock()
        self._waiting: dict[str, Positions] = {}

    def advance(self, projector: str, positions: Positions) -> None:
        """Called by the loop after its commit."""
        self._positions.setdefault(projector, {}).update(positions)
        self._changed.set()
        self._changed = asyncio.Event()

    def forget(self, projector: str) -> None:
        """Called by the loop when partitions may have gone to somebody else."""
        self._positions.pop(projector, None)
        self._waiting.pop(projector, None)

    def stand(self, projector: str, waiting: Positions) -> None:
        """Called by the loop when it knows how much of each partition waits to be applied."""
        self._waiting[projector] = dict(waiting)

    def waiting(self, projector: str) -> Mapping[Place, int] | None:
        """Events of each partition of ours that wait; None as long as that is not known."""
        return self._waiting.get(projector)

    def positions(self, projector: str) -> Positions:
        """What this process itself has applied; empty when it does not own the projector."""
        return dict(self._positions.get(projector, {}))

    async def wait_for(
        self,
        engine: AsyncEngine,
        projector: str,
        token: Positions,
        timeout: float,  # noqa: ASYNC109
    ) -> bool:
        """Wait until everything before the token's positions is applied; False: not in time."""
        deadline = monotonic() + timeout
        while not self._reached(projector, token):
            changed = self._changed
            owned = token.keys() <= self._positions.get(projector, {}).keys()
            if not owned and _covers(await self._poll(engine, projector), token):
                return True
            left = deadline - monotonic()
            if left <= 0:
                return False
            try:
                await asyncio.wait_for(
                    changed.wait(), min(left, _MISTRUST_SECONDS if owned else _POLL_SECONDS)
                )
            except TimeoutError:
                if _covers(await self._poll(engine, projector), token):
                    return True
        return True

    def _reached(self, projector: str, token: Positions) -> bool:
        return _covers(self._positions.get(projector, {}), token)

    async def _poll(self, engine: AsyncEngine, projector: str) -> Positions:
        """One query for all who wait at the same moment."""
        async with self._polling:
            asked_at, known = self._polled.get(projector, (0.0, {}))
            if monotonic() - asked_at >= _POLL_SECONDS:
                known = await read_positions(engine, projector)
                self._polled[projector] = (monotonic(), known)
            return known


async def read_positions(engine: AsyncEngine, projector: str) -> Positions:
    """The committed positions of a projector, whoever runs it."""
    async with engine.connect() as connection:
        return await select_positions(connection, projector)


async def select_positions(connection: AsyncConnection, projector: str) -> Positions:
    """The positions of a projector as this connection sees them."""
    offsets = TABLES.projector_offset.c
    query = select(offsets.topic, offsets.partition, offsets.next_offset).where(
        offsets.projector == projector
    )
    rows = await connection.execute(query)
    return {(row.topic, row.partition): row.next_offset for row in rows}


def _covers(positions: Positions, token: Positions) -> bool:
    return all(positions.get(place, 0) >= offset for place, offset in token.items())
