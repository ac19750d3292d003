"""What leaves a feedback service for its customers, on a console that a test reads."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from rapport_events.topics import FEEDBACK
from rapport_feedback.sending import make_sender
from rapport_runtime.sender import Sender, deliver, subscription
from sqlalchemy import text

from tests.support.feedback_house import House
from tests.support.surveys import in_feedback

_WAITING = text(
    "SELECT count(*) FROM delivery WHERE state = 'waiting' AND (next_at <= now() OR attempts > 0)"
)


@dataclass
class Dispatch:
    """The sender of a house."""

    house: House
    path: Path

    async def hear(self) -> None:
        """What the service asked for comes back over its topic."""
        async with self.house.resources.engine.begin() as tx:
            values = await tx.scalars(text("SELECT value FROM outbox ORDER BY id"))
            records = [in_feedback(value) for value in values]
            await subscription(FEEDBACK).apply(tx, records)

    async def work(self) -> None:
        """Until nothing is due."""
        house = self.house
        pool = house.app.state.pool
        sender = make_sender(house.settings, house.resources, house.keyring, pool)
        await deliver_all(sender)

    def messages(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        return [orjson.loads(line) for line in self.path.read_bytes().splitlines()]


async def deliver_all(sender: Sender) -> None:
    """Until nothing is due."""
    stop = asyncio.Event()
    working = asyncio.create_task(deliver(sender, stop))
    async with asyncio.timeout(90), sender.engine.connect() as connection:
        while await connection.scalar(_WAITING) and not working.done():
            await connection.rollback()
            await asyncio.wait([working], timeout=0.02)
    stop.set()
    await working


def dispatch(house: House) -> Dispatch:
    """Of a house whose settings name a console."""
    path = house.settings.sender.console_file
    assert path is not None
    return Dispatch(house, path)
