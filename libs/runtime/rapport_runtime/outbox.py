"""What follows from an event is committed with it, and published afterwards.

At least once: a relay that dies after publishing publishes again, under the same ids.
"""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_runtime.contract import Derived
from rapport_runtime.database import Tx, driver
from rapport_runtime.failpoint import failpoint
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.kafka import make_producer
from rapport_runtime.outbox_rows import COLUMNS, copied, derived_text
from rapport_runtime.pause import pause
from rapport_runtime.settings import Settings
from rapport_runtime.tables import TABLES

__all__ = [
    "Derived",
    "OutboxRow",
    "add",
    "derived_id",
    "derived_text",
    "relay",
    "relay_once",
    "waves",
]

_BATCH: Final = 500
_IDLE_SECONDS: Final = 0.1
_RETRY_SECONDS: Final = 1.0
_PUBLISH_SECONDS: Final = 8.0
"""Less than `idle_in_transaction_session_timeout`: the relay keeps its lock while publishing."""

_ANY: Final = "SELECT EXISTS (SELECT FROM outbox)"
_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(hashtext('rapport.outbox'))")

_OLDEST: Final = "SELECT id, topic, key, value, headers FROM outbox ORDER BY id LIMIT $1"
_REMOVE: Final = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"

T = TypeVar("T")


class OutboxRow(NamedTuple):
    """A fact that waits to be published."""

    id: int
    topic: str
    key: bytes
    value: bytes
    headers: list[str]


log = structlog.get_logger(__name__)


def derived_id(cause: bytes, rule: str) -> UUID:
    """The id under which `rule` speaks about the event with this key, however often it does."""
    return UUID(derived_text(cause, rule))


async def add(connection: Tx, derived: Sequence[Derived]) -> None:
    """Write the events into the outbox of the current transaction, in this order."""
    if derived:
        # An INSERT of many rows would cost more than to make them.
        await (await driver(connection)).copy_to_table(
            TABLES.outbox.name,
            source=copied(derived, datetime.now(UTC)),
            columns=COLUMNS,
            format="binary",
        )


async def relay(
    settings: Settings,
    engine: AsyncEngine,
    stop: asyncio.Event,
    news: asyncio.Event | None = None,
) -> None:
    """Publish outbox rows, oldest first, until `stop`; one relay works at a time.

    `news`: set by whoever has committed some in this process, so that they leave at once.
    """
    while not stop.is_set():
        producer = make_producer(settings)
        try:
            await producer.start()
            await _relay(engine, producer, stop, news or asyncio.Event())
        except WAITED_FOR as error:
            if not is_environment(error):
                raise
            # A new producer: one that met a fatal error may never recover (aiokafka#1017).
            log.warning("outbox waits", reason=type(error).__name__)
            await pause(stop, _RETRY_SECONDS)
        finally:
            await producer.stop()


async def _relay(
    engine: AsyncEngine, producer: AIOKafkaProducer, stop: asyncio.Event, news: asyncio.Event
) -> None:
    while not stop.is_set():
        # First, or what is committed between the look and this would wait.
        news.clear()
        if await _is_empty(engine) or await relay_once(engine, producer) < _BATCH:
            await pause(news, _IDLE_SECONDS)


async def _is_empty(engine: AsyncEngine) -> bool:
    """Nearly always, so it is asked without a transaction and without a lock."""
    async with engine.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert isinstance(raw, asyncpg.Connection)  # noqa: S101 - for the type checker
        return not await raw.fetchval(_ANY)


async def relay_once(engine: AsyncEngine, producer: AIOKafkaProducer) -> int:
    """Publish and remove the oldest rows; how many. 0 as well when another relay is at work."""
    async with engine.begin() as connection:
        if not await connection.scalar(_LOCK):
            return 0
        raw = await driver(connection)
        rows = [OutboxRow(*row) for row in await raw.fetch(_OLDEST, _BATCH)]
        if not rows:
            return 0
        failpoint("before_outbox_publish")
        async with asyncio.timeout(_PUBLISH_SECONDS):
            for wave in waves(rows, key=lambda row: (row.topic, row.key)):
                await _publish(producer, wave)
        failpoint("after_outbox_publish")
        await raw.execute(_REMOVE, [row.id for row in rows])
    return len(rows)


async def _publish(producer: AIOKafkaProducer, rows: Sequence[OutboxRow]) -> None:
    sent = [
        await producer.send(row.topic, row.value, key=row.key, headers=_headers(row))
        for row in rows
    ]
    await asyncio.gather(*sent)


def waves(rows: Sequence[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    """Rows that may travel together: two of one key never do, so a failure cannot swap them."""
    together: list[list[T]] = []
    turns: dict[Hashable, int] = {}
    for row in rows:
        turn = turns.get(key(row), 0)
        turns[key(row)] = turn + 1
        if turn == len(together):
            together.append([])
        together[turn].append(row)
    return together


def _headers(row: OutboxRow) -> list[tuple[str, bytes]]:
    flat = iter(row.headers)
    return [(name, value.encode()) for name, value in zip(flat, flat, strict=True)]
