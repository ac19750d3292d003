"""Forgetting what was refused long ago."""

import asyncio
from datetime import timedelta
from typing import Final

import structlog
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.pause import pause
from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_ingest.quarantine.store import PRUNE_ROWS, prune_refused

_EVERY_SECONDS: Final = 600.0

_log = structlog.get_logger(__name__)


async def keep_pruned(engine: AsyncEngine, stop: asyncio.Event, age: timedelta) -> None:
    """Prune every ten minutes until `stop`."""
    while not stop.is_set():
        removed = 0
        try:
            async with engine.begin() as connection:
                removed = await prune_refused(connection, age)
        except WAITED_FOR as error:
            if not is_environment(error):
                raise
            _log.warning("quarantine not pruned", reason=type(error).__name__)
        if removed < PRUNE_ROWS:
            await pause(stop, _EVERY_SECONDS)
