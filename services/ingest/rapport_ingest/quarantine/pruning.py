"""Forgetting what was refused long ago, and what is about people who were erased."""

import asyncio
from datetime import timedelta
from typing import Final

import structlog
from rapport_privacy.keyring import Keyring, KeyringUnavailableError
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.pause import pause
from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_ingest.quarantine.erasing import forget_erased
from rapport_ingest.quarantine.store import PRUNE_ROWS, prune_refused

_EVERY_SECONDS: Final = 60.0

_log = structlog.get_logger(__name__)


async def keep_pruned(
    engine: AsyncEngine, keyring: Keyring, stop: asyncio.Event, age: timedelta
) -> None:
    """Prune every minute until `stop`."""
    while not stop.is_set():
        removed = 0
        try:
            await forget_erased(engine, keyring)
            async with engine.begin() as connection:
                removed = await prune_refused(connection, age)
        except (KeyringUnavailableError, *WAITED_FOR) as error:
            if not isinstance(error, KeyringUnavailableError) and not is_environment(error):
                raise
            _log.warning("quarantine not pruned", reason=type(error).__name__)
        if removed < PRUNE_ROWS:
            await pause(stop, _EVERY_SECONDS)
