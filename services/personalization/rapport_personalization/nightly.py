"""When scores are made: opens a night once it is time, and works on whichever is open."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import structlog
from rapport_runtime.database import driver
from rapport_runtime.pause import pause
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization.scores import load_night
from rapport_personalization.scoring import Scorer, begin, step

Ready = Callable[[AsyncConnection], Awaitable[bool]]

_AFTER_OTHERS_SECONDS: Final = 10.0
"""Two workers at the same night would do everything twice, and half of it for nothing."""

log = structlog.get_logger(__name__)


async def open_if_due(scorer: Scorer, now: datetime) -> None:
    """Asked every hour: a worker that was not there at the right one makes up for it."""
    settings = scorer.settings
    if now.hour >= settings.hour and not await begin(scorer.engine, settings, now):
        log.info("nobody is scored", reason="no model was fitted yet")


async def work_off(scorer: Scorer, ready: Ready, stop: asyncio.Event) -> None:
    """Until nothing is left of the night that is open, or what has happened is not known yet."""
    chunks = 0
    while not stop.is_set():
        async with scorer.engine.connect() as tx:
            if await load_night(await driver(tx)) is None or not await ready(tx):
                break
        came = await step(scorer, datetime.now(UTC))
        if came == "idle":
            break
        chunks += 1
        if came == "overtaken":
            await pause(stop, _AFTER_OTHERS_SECONDS)
    if chunks:
        log.info("scored", chunks=chunks)
