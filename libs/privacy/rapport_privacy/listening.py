"""Lets every process that has the keyring open forget at once what one of them has destroyed.

The caches end by themselves within a minute: that is the promise, and it holds whatever is lost
here. Hearing of an erasure makes it milliseconds, so that what is sent after it is refused.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import asyncpg
import structlog
from rapport_runtime.failure import DRIVER
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_privacy.database import CONNECT_SECONDS, SERVER_SETTINGS

_CHANNEL: Final = "rapport_keyring_forget"
_TELL: Final = text(f"NOTIFY {_CHANNEL}")
_AGAIN_SECONDS: Final = 1.0
_ALIVE_SECONDS: Final = 15.0
"""A connection that a network has swallowed answers no more; it would never say so by itself."""

_log = structlog.get_logger(__name__)


async def tell(tx: AsyncConnection) -> None:
    """Who listens hears of it when the transaction commits, and not otherwise."""
    await tx.execute(_TELL)


async def listen(url: str, forget: Callable[[], None], listening: asyncio.Event) -> None:
    """Calls `forget` whenever somebody tells, or may have told; until it is cancelled.

    `listening` is set when the first connection hears.
    """
    while True:
        try:
            await _listen(url, forget, listening)
        except (*DRIVER, OSError, TimeoutError) as error:
            # What is remembered stays, for the minute that it may: without it nothing could be
            # taken in while the keyring is away. Who listens again has forgotten.
            _log.warning("keyring not listened to", reason=type(error).__name__)
        await asyncio.sleep(_AGAIN_SECONDS)


async def _listen(url: str, forget: Callable[[], None], listening: asyncio.Event) -> None:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(
        plain,
        timeout=CONNECT_SECONDS,
        command_timeout=CONNECT_SECONDS,
        server_settings={**SERVER_SETTINGS, "application_name": "rapport-keyring-listener"},
    )
    ended = asyncio.Event()
    try:
        connection.add_termination_listener(lambda _: ended.set())
        await connection.add_listener(_CHANNEL, lambda *_: forget())
        # What was told before anybody listened.
        forget()
        listening.set()
        while not ended.is_set():
            try:
                await asyncio.wait_for(ended.wait(), _ALIVE_SECONDS)
            except TimeoutError:
                await connection.execute("SELECT 1")
    finally:
        connection.terminate()
