"""Deliveries to rows and back: which are due, under whose hand, and how they ended."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg
from rapport_events.codec import decode_again, decode_data
from rapport_events.wire import ActionRequested
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_runtime.database import driver
from rapport_runtime.pool import Reads
from rapport_runtime.sender.intake import PROJECTOR
from rapport_runtime.sender.message import Ending, Requested

LEASE_SECONDS: Final = 90.0
"""A row that was taken is taken again after this, whatever became of who took it."""

GONE: Final = "gone"
"""The other side wants no more messages of a channel: they wait until an operator has seen it."""

_BEHIND: Final = """
SELECT EXISTS (
    SELECT FROM projector_offset WHERE projector = $1
    AND high_watermark > next_offset AND recorded_at < now() - interval '60 seconds'
)
"""

_TAKE: Final = f"""
UPDATE delivery SET attempts = attempts + 1, next_at = now() + make_interval(secs => $2)
WHERE action IN (
    SELECT action FROM delivery
    WHERE state = 'waiting' AND next_at <= now() AND (
        expires_at <= now() OR coalesce(channel, '') <> ALL (ARRAY(
            SELECT coalesce(channel, '') FROM delivery
            WHERE state = 'dead' AND last_error = '{GONE}'
        ))
    )
    ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
RETURNING action, event_key, value, attempts, created_at, coalesce(expires_at <= now(), false)
"""  # noqa: S608 - nothing but constants

_END: Final = """
UPDATE delivery
SET state = $3, last_error = $4, value = CASE WHEN $3 = 'dead' THEN value END,
    settled_at = CASE WHEN $3 = 'dead' THEN NULL ELSE now() END
WHERE action = $1 AND attempts = $2 AND state = 'waiting' RETURNING action
"""

_POSTPONE: Final = """
UPDATE delivery
SET last_error = $3, next_at = LEAST(now() + make_interval(secs => $4), expires_at)
WHERE action = $1 AND attempts = $2 AND state = 'waiting'
"""

_GIVE_BACK: Final = """
UPDATE delivery SET attempts = attempts - 1, next_at = now() + make_interval(secs => $3)
FROM unnest($1::text[], $2::int[]) AS mine (action, attempt)
WHERE delivery.action = mine.action AND attempts = mine.attempt AND state = 'waiting'
"""

_LIST: Final = """
SELECT action, state, channel, template, purpose, subject_id::text, attempts, next_at, expires_at,
    last_error, created_at, settled_at
FROM delivery WHERE state = $1 AND (created_at, action) > ($2, $3)
ORDER BY created_at, action LIMIT $4
"""

_RETRY: Final = """
UPDATE delivery SET state = 'waiting', attempts = 0, next_at = now(), last_error = NULL
WHERE action = ANY($1::text[]) AND state = 'dead' RETURNING action
"""

_DISCARD: Final = """
UPDATE delivery SET state = 'discarded', value = NULL, settled_at = now()
WHERE action = ANY($1::text[]) AND state IN ('dead', 'waiting') RETURNING action
"""

_COUNT: Final = "SELECT count(*) FROM delivery WHERE state = 'dead'"


class Delivery(NamedTuple):
    """A delivery as operators see it; what it says stays in the database."""

    action: str
    state: str
    channel: str | None
    template: str | None
    purpose: str | None
    subject_id: str | None
    attempts: int
    next_at: datetime
    expires_at: datetime | None
    last_error: str | None
    created_at: datetime
    settled_at: datetime | None


async def is_behind(tx: AsyncConnection) -> bool:
    """Whether what was sent may still stand unread in the log, as after a restore."""
    return bool(await (await driver(tx)).fetchval(_BEHIND, PROJECTOR))


async def take(tx: AsyncConnection, limit: int, lease: float = LEASE_SECONDS) -> list[Requested]:
    """Deliveries that are due, the longest first; nobody else gets them while the lease runs."""
    rows = await (await driver(tx)).fetch(_TAKE, limit, lease)
    return [_requested(row) for row in rows]


async def end(tx: AsyncConnection, request: Requested, ending: Ending) -> bool:
    """Whether it was still ours to end."""
    connection = await driver(tx)
    row = await connection.fetchrow(
        _END, request.action, request.attempt, ending.state, ending.reason
    )
    return row is not None


async def postpone(tx: AsyncConnection, request: Requested, reason: str, seconds: float) -> None:
    connection = await driver(tx)
    await connection.execute(_POSTPONE, request.action, request.attempt, reason, seconds)


async def give_back(tx: AsyncConnection, requests: Collection[Requested], seconds: float) -> None:
    """Nothing was tried."""
    actions, attempts = [one.action for one in requests], [one.attempt for one in requests]
    await (await driver(tx)).execute(_GIVE_BACK, actions, attempts, seconds)


async def count_dead(tx: AsyncConnection) -> int:
    return int(await (await driver(tx)).fetchval(_COUNT))


async def list_deliveries(
    reads: Reads, state: str, after: tuple[datetime, str], limit: int
) -> list[Delivery]:
    """In order of (created_at, action)."""
    return [Delivery(*row) for row in await reads.fetch(_LIST, state, *after, limit)]


async def retry(tx: AsyncConnection, actions: Sequence[str]) -> list[str]:
    """Those that were dead, from now on as if never tried."""
    return sorted(row[0] for row in await (await driver(tx)).fetch(_RETRY, list(actions)))


async def discard(tx: AsyncConnection, actions: Sequence[str]) -> list[str]:
    """Those that were dead or waiting."""
    return sorted(row[0] for row in await (await driver(tx)).fetch(_DISCARD, list(actions)))


def _requested(row: asyncpg.Record) -> Requested:
    action, key, value, attempt, asked_at, is_expired = row
    envelope = decode_again(value)
    data = decode_data(envelope)
    assert isinstance(data, ActionRequested)  # noqa: S101 - for the type checker
    return Requested(
        action=action,
        event_key=key,
        envelope=envelope,
        data=data,
        attempt=attempt,
        asked_at=asked_at,
        is_expired=is_expired,
    )
