"""What follows from an event is committed with it, and published afterwards.

At least once: a relay that dies after publishing publishes again, under the same ids.
"""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar
from uuid import UUID, uuid5

import structlog
from aiokafka import AIOKafkaProducer
from rapport_events import codec
from rapport_events.envelope import event_key
from sqlalchemy import Row, delete, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rapport_runtime.contract import Derived
from rapport_runtime.database import driver
from rapport_runtime.failpoint import failpoint
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.kafka import make_producer
from rapport_runtime.pause import pause
from rapport_runtime.settings import Settings
from rapport_runtime.tables import TABLES

_BATCH: Final = 500
_IDLE_SECONDS: Final = 0.1
_RETRY_SECONDS: Final = 1.0
_PUBLISH_SECONDS: Final = 8.0
"""Less than `idle_in_transaction_session_timeout`: the relay keeps its lock while publishing."""

_COLUMNS: Final = ("topic", "key", "value", "headers")

_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(hashtext('rapport.outbox'))")

T = TypeVar("T")
OutboxRow = Row[tuple[int, str, bytes, bytes, list[str]]]

log = structlog.get_logger(__name__)


def derived_id(cause: bytes, rule: str) -> UUID:
    """The id under which `rule` speaks about the event with this key, however often it does."""
    return uuid5(UUID(bytes=cause), rule)


async def add(connection: AsyncConnection, derived: Sequence[Derived]) -> None:
    """Write the events into the outbox of the current transaction, in this order."""
    if derived:
        now = datetime.now(UTC)
        rows = [_row(event, now) for event in derived]
        # An INSERT of many rows would cost more than to make them.
        await (await driver(connection)).copy_records_to_table(
            TABLES.outbox.name, records=rows, columns=_COLUMNS
        )


async def relay(settings: Settings, engine: AsyncEngine, stop: asyncio.Event) -> None:
    """Publish outbox rows, oldest first, until `stop`; one relay works at a time."""
    while not stop.is_set():
        producer = make_producer(settings)
        try:
            await producer.start()
            await _relay(engine, producer, stop)
        except WAITED_FOR as error:
            if not is_environment(error):
                raise
            # A new producer: one that met a fatal error may never recover (aiokafka#1017).
            log.warning("outbox waits", reason=type(error).__name__)
            await pause(stop, _RETRY_SECONDS)
        finally:
            await producer.stop()


async def _relay(engine: AsyncEngine, producer: AIOKafkaProducer, stop: asyncio.Event) -> None:
    while not stop.is_set():
        if await relay_once(engine, producer) < _BATCH:
            await pause(stop, _IDLE_SECONDS)


async def relay_once(engine: AsyncEngine, producer: AIOKafkaProducer) -> int:
    """Publish and remove the oldest rows; how many. 0 as well when another relay is at work."""
    outbox = TABLES.outbox
    async with engine.begin() as connection:
        if not await connection.scalar(_LOCK):
            return 0
        found = await connection.execute(select(outbox).order_by(outbox.c.id).limit(_BATCH))
        rows = found.all()
        if not rows:
            return 0
        failpoint("before_outbox_publish")
        async with asyncio.timeout(_PUBLISH_SECONDS):
            for wave in waves(rows, key=lambda row: (row.topic, row.key)):
                await _publish(producer, wave)
        failpoint("after_outbox_publish")
        await connection.execute(delete(outbox).where(outbox.c.id.in_([row.id for row in rows])))
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


def _row(event: Derived, now: datetime) -> tuple[object, ...]:
    event_id = str(derived_id(event.cause, event.rule))
    attributes = {
        **event.attributes,
        "id": event_id,
        "source": event.source,
        "type": event.type,
        "subject": event.subject,
        "time": event.time,
        "recordedtime": now,
    }
    headers = [
        *("content-type", "application/cloudevents+json"),
        *("ce_id", event_id),
        *("ce_type", event.type),
        *("ce_source", event.source),
        *("ce_time", event.time.isoformat()),
    ]
    key = (event.subject or event_key(event.source, event_id).hex()).encode()
    return event.topic, key, codec.encode(attributes, event.data), headers


def _headers(row: OutboxRow) -> list[tuple[str, bytes]]:
    flat = iter(row.headers)
    return [(name, value.encode()) for name, value in zip(flat, flat, strict=True)]
