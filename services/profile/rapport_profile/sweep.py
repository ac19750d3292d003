"""Time passes without events: tells the stages that people have come into by themselves."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from rapport_runtime import outbox
from rapport_runtime.database import driver
from rapport_runtime.failpoint import failpoint
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.pause import pause
from rapport_runtime.standing import lag_ms, load_progress
from rapport_runtime.subscription import Derived, Resources
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_profile.consumer import SUBSCRIPTION
from rapport_profile.domain import facets as domain
from rapport_profile.domain.facets import Facet
from rapport_profile.domain.state import unpack
from rapport_profile.facets import from_row, save, tell_all

_BATCH: Final = 500
_IDLE_SECONDS: Final = 1.0

_DUE: Final = """
SELECT subject_id::text, stage, announced_at, stage_until, segment, consents FROM facet
WHERE stage_until <= $1 ORDER BY stage_until, subject_id LIMIT $2 FOR UPDATE SKIP LOCKED
"""
"""What another sweep, or the projector, has in its hands is left to it."""

_STATES: Final = """
SELECT subject_id::text, state FROM profile
WHERE subject_id = ANY($1::text[]::uuid[]) AND merged_into IS NULL AND state IS NOT NULL
"""

_FORGET: Final = "DELETE FROM facet WHERE subject_id = ANY($1::text[]::uuid[])"

_log = structlog.get_logger(__name__)


async def sweep(resources: Resources, stop: asyncio.Event) -> None:
    """Until `stop`; any number of processes may do so at once."""
    while not stop.is_set():
        try:
            swept = await sweep_once(resources, await horizon(resources, datetime.now(UTC)))
        except WAITED_FOR as error:
            if not is_environment(error):
                raise
            _log.warning("lifecycle waits", reason=type(error).__name__)
            swept = 0
        if swept < _BATCH:
            await pause(stop, _IDLE_SECONDS)


async def horizon(resources: Resources, now: datetime) -> datetime:
    """Until when time may be said to have passed: an order may wait in what has yet to be read."""
    async with resources.engine.connect() as connection:
        progress = await load_progress(await driver(connection), SUBSCRIPTION.name)
    behind = max((lag_ms(one, now) for one in progress), default=0)
    return now - timedelta(milliseconds=behind)


async def sweep_once(resources: Resources, now: datetime, most: int = _BATCH) -> int:
    """Tells what is due at `now` of those who are due longest, in one transaction; how many."""
    async with resources.engine.begin() as tx:
        rows = await (await driver(tx)).fetch(_DUE, now, most)
        due = {subject: from_row(row) for subject, *row in rows}
        if due:
            derived = await _advance(tx, due, now)
            if resources.emit:
                # Kafka keeps the order for each person only; across people it is a courtesy.
                await outbox.add(tx, sorted(derived, key=lambda one: one.time))
            failpoint("before_sweep_commit")
    return len(due)


async def _advance(tx: AsyncConnection, due: dict[str, Facet], now: datetime) -> list[Derived]:
    connection = await driver(tx)
    states = dict(await connection.fetch(_STATES, list(due)))
    changed: dict[str, Facet] = {}
    derived: list[Derived] = []
    for root, state in states.items():
        changed[root], changes = domain.follow(
            due[root].announced, unpack(state), now=now, happened=now
        )
        derived += tell_all(root, changes)
    await save(tx, changed, due)
    if orphans := due.keys() - states.keys():
        await connection.execute(_FORGET, list(orphans))
    return derived
