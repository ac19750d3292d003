"""Finishing erasures that a crash or an outage left half done."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from rapport_privacy.keyring import Keyring, KeyringUnavailableError
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.pause import pause
from rapport_runtime.subscription import Resources

from rapport_profile.privacy import store
from rapport_profile.privacy.erasing import Desk, carry_on

_EVERY_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


async def resume(desk: Desk) -> None:
    """Brings every open erasure as far as possible. Raises what a database that is away raises."""
    async with desk.resources.engine.connect() as connection:
        open_ones = await store.load_open(connection)
    for request_id in open_ones:
        async with desk.resources.engine.connect() as connection:
            request = await store.load_request(connection, request_id)
        if request is not None:
            await carry_on(desk, request)


async def keep_resuming(
    resources: Resources, open_keyring: Callable[[], Awaitable[Keyring]], stop: asyncio.Event
) -> None:
    """Once a second until `stop`. A keyring that is away at the start is waited for, too."""
    keyring: Keyring | None = None
    try:
        while not stop.is_set():
            try:
                keyring = keyring or await open_keyring()
                await resume(Desk(resources, keyring))
            except (KeyringUnavailableError, *WAITED_FOR) as error:
                if not isinstance(error, KeyringUnavailableError) and not is_environment(error):
                    raise
                _log.warning("erasures wait", reason=type(error).__name__)
            await pause(stop, _EVERY_SECONDS)
    finally:
        if keyring is not None:
            await keyring.close()
