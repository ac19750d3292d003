"""Deliveries to rows and back: which are due, under whose hand, and how they ended."""

from collections.abc import Collection, Iterable, Sequence
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
SET state = new.state, last_error = new.reason,
    value = CASE WHEN new.state = 'dead' THEN value END,
    settled_at = CASE WHEN new.state = 'dead' THEN NULL ELSE now() END
FROM unnest($1::text[], $2::int[], $3::text[], $4::text[]) AS new (action, attempt, state, reason)
WHERE delivery.action = new.action AND attempts = new.attempt AND delivery.state = 'waiting'
RETURNING delivery.action
"""

_POSTPONE: Final = """
UPDATE delivery
SET last_error = new.reason,
    next_at = LEAST(now() + make_interval(secs => new.seconds), expires_at)
FROM unnest($1::text[], $2::int[], $3::text[], $4::float8[])
AS new (action, attempt, reason, seconds)
WHERE delivery.action = new.action AND attempts = new.attempt AND state = 'waiting'
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


class Postponed(NamedTuple):
    """A message that is to be tried again."""

    request: Requested
    reason: str
    seconds: float


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


async def end(tx: AsyncConnection, over: Iterable[tuple[Requested, Ending]]) -> set[str]:
    """The actions of those that were still ours to end."""
    ended = [(one.action, one.attempt, end.state, end.reason) for one, end in over]
    if not ended:
        return set()
    columns = map(list, zip(*sorted(ended), strict=True))
    return {row[0] for row in await (await driver(tx)).fetch(_END, *columns)}


async def postpone(tx: AsyncConnection, later: Iterable[Postponed]) -> None:
    postponed = [(one.action, one.attempt, reason, seconds) for one, reason, seconds in later]
    if postponed:
        columns = map(list, zip(*sorted(postponed), strict=True))
        await (await driver(tx)).execute(_POSTPONE, *columns)


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
