"""Time passes without events: tells the owners of follow-ups that those are overdue."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from asyncpg import Record
from rapport_events.feedback import LoopReminded
from rapport_runtime import outbox
from rapport_runtime.database import driver
from rapport_runtime.failpoint import failpoint
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.pause import pause
from rapport_runtime.subscription import Derived, Resources

from rapport_feedback.level import Level
from rapport_feedback.loop_work import loop_fact
from rapport_feedback.settings import FeedbackSettings, LoopSettings

_BATCH: Final = 500
_IDLE_SECONDS: Final = 5.0
_MOST: Final = 1_000
"""Who has not listened to a thousand will not listen to the next."""

_DUE: Final = """
SELECT loop, survey, owner, due_at, reminders, subject_id::text AS subject FROM loop
WHERE state = 'open' AND remind_at <= $1 AND reminders < $2
ORDER BY remind_at, loop LIMIT $3 FOR UPDATE SKIP LOCKED
"""
"""What another process has in its hands is left to it."""

_REMINDED: Final = """
UPDATE loop SET reminders = reminders + 1, remind_at = $2 WHERE loop = ANY($1::text[])
"""

_log = structlog.get_logger(__name__)


async def remind(resources: Resources, settings: FeedbackSettings, stop: asyncio.Event) -> None:
    """Until `stop`; any number of processes may do so at once.

    Not before the projection is level with the log: after an older backup was restored, what was
    closed is open here until the log has said so again.
    """
    level = Level(resources, settings)
    while not stop.is_set():
        reminded = 0
        try:
            if await level.is_reached():
                reminded = await remind_once(resources, settings.loop, datetime.now(UTC))
        except WAITED_FOR as error:
            if not is_environment(error):
                raise
            level.forget()
            _log.warning("reminders wait", reason=type(error).__name__)
        if reminded < _BATCH:
            await pause(stop, _IDLE_SECONDS)


async def remind_once(resources: Resources, settings: LoopSettings, now: datetime) -> int:
    """Reminds of what is overdue longest, in one transaction; of how many."""
    async with resources.engine.begin() as tx:
        connection = await driver(tx)
        due = await connection.fetch(_DUE, now, _MOST, _BATCH)
        if due:
            following = now + timedelta(hours=settings.remind_hours)
            await connection.execute(_REMINDED, [row["loop"] for row in due], following)
            await outbox.add(tx, [_reminded(row, now) for row in due])
            failpoint("before_reminders_commit")
    return len(due)


def _reminded(row: Record, now: datetime) -> Derived:
    """Its id follows from the loop and the number: who dies after it says the same again."""
    number = row["reminders"] + 1
    data = {
        "loop": row["loop"],
        "survey": row["survey"],
        "owner": row["owner"],
        "due": row["due_at"],
        "reminder": number,
    }
    return loop_fact(row, f"loop.reminded {number}", LoopReminded.type, now, data)
