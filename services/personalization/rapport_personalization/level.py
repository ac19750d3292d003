"""Whether what has happened by now is known, so that it can be decided upon."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import asyncpg
from rapport_runtime.database import driver
from rapport_runtime.progress import Place
from rapport_runtime.subscription import Resources, Subscription
from sqlalchemy.ext.asyncio import AsyncConnection

_STAND: Final = """
SELECT topic, partition, next_offset < high_watermark AS is_behind, recorded_at, updated_at, now()
FROM projector_offset WHERE projector = $1 AND topic = ANY($2::text[])
"""

_PINNED: Final = "SELECT coalesce(sum(partitions), 0) FROM topic_pin WHERE topic = ANY($1::text[])"

_UNHEARD: Final = timedelta(seconds=15)
"""A worker confirms its positions every five seconds; who does not is gone."""


async def is_level(
    tx: AsyncConnection, subscription: Subscription, resources: Resources, lag: timedelta
) -> bool:
    """Whether every partition is applied up to a moment ago, by whichever worker owns it.

    Of its own partitions a process knows better than the table, which may be from before it
    was stopped: as long as it has not looked, nothing is level.
    """
    own = resources.progress.waiting(subscription.name)
    if own is None:
        return False
    connection = await driver(tx)
    topics = list(subscription.topics)
    rows = await connection.fetch(_STAND, subscription.name, topics)
    pinned = await connection.fetchval(_PINNED, topics)
    return len(rows) == pinned and all(_is_level(row, own, lag) for row in rows)


def _is_level(row: asyncpg.Record, own: Mapping[Place, int], lag: timedelta) -> bool:
    topic, partition, is_behind, recorded_at, updated_at, now = row
    is_recent = recorded_at is not None and _is_younger(recorded_at, now, lag)
    waiting = own.get((topic, partition))
    if waiting is not None:
        return waiting == 0 or is_recent
    return _is_younger(updated_at, now, _UNHEARD) and (not is_behind or is_recent)


def _is_younger(instant: datetime, now: datetime, age: timedelta) -> bool:
    return now - instant <= age
