"""Compares the log with the tables. It reads broker and database only, and trusts no worker."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from time import monotonic

from aiokafka import AIOKafkaConsumer, TopicPartition
from rapport_events import codec
from rapport_events.envelope import event_key
from rapport_runtime.outbox import derived_id
from rapport_runtime.progress import Progress, read_positions
from rapport_runtime.settings import Settings
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

_QUIET_SECONDS = 8.0
"""Longer than any broker takes to give a dead worker's partitions to another."""
_LONG_QUIET_SECONDS = 45.0
"""The same on a machine that is busy with much else, where joining again may take long."""
_PATIENCE_SECONDS = 120.0

Place = tuple[int, int]
"""Partition and offset."""


@dataclass(frozen=True)
class Verdict:
    """`events` distinct events in `records` of the log; what was lost of them, what doubled."""

    records: int
    events: int
    lost: int
    double: int
    parked: int

    def line(self, run: str, **faults: object) -> str:
        told = " ".join(f"{name}={value}" for name, value in faults.items())
        return (
            f"\n{run}: {told} records={self.records} events={self.events} parked={self.parked}"
            f" lost={self.lost} double={self.double}"
        )


async def check(
    settings: Settings,
    topic: str,
    projector: str,
    *,
    once_an_id: bool,
    losing: bool = False,
) -> Verdict:
    """Wait until the projector is level or nothing moves any more, then compare.

    `once_an_id`: an event counts once however often it is in the log; else every record counts.
    `losing`: a planted mistake may lose events, and there is no use in waiting long for them.
    """
    log = await read_log(settings, topic)
    engine = create_async_engine(settings.database.url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            wanted_rows = len(set(log.values()) if once_an_id else log)
            quiet = _QUIET_SECONDS if losing else _LONG_QUIET_SECONDS
            await _until_level(connection, projector, wanted_rows, quiet)
            applied = await _effects(connection, projector)
            parked = await _parked(connection, projector)
    finally:
        await engine.dispose()
    wanted = {place: key for place, key in log.items() if place not in parked}
    if once_an_id:
        by_event = Counter(log[place] for place in applied.elements() if place in log)
        lost = len(set(wanted.values()) - by_event.keys())
        double = by_event.total() - len(by_event)
    else:
        lost = len(wanted.keys() - applied.keys())
        double = applied.total() - len(applied)
    return Verdict(len(log), len(set(log.values())), lost, double, len(parked))


async def moved(settings: Settings, projector: str, topic: str, seconds: float) -> bool:
    """Whether every partition has moved on within the time."""
    engine = create_async_engine(settings.database.url, poolclass=NullPool)
    try:
        before = await read_positions(engine, projector)
        beyond = {(topic, number): before.get((topic, number), 0) + 1 for number in range(4)}
        return await Progress().wait_for(engine, projector, beyond, seconds)
    finally:
        await engine.dispose()


async def check_derived(settings: Settings, topic: str, target: str) -> int:
    """How many events of `topic` have not had their one consequence said in `target`."""
    causes = set((await read_log(settings, topic)).values())
    wanted = {event_key("rapport/toy", str(derived_id(cause, "toy"))) for cause in causes}
    deadline = monotonic() + _PATIENCE_SECONDS
    while True:
        unsaid = len(wanted - set((await read_log(settings, target)).values()))
        if unsaid == 0 or monotonic() > deadline:
            return unsaid


async def count_effects(settings: Settings, projector: str) -> int:
    """How many rows the projector has written."""
    engine = create_async_engine(settings.database.url, poolclass=NullPool)
    async with engine.connect() as connection:
        applied = await _effects(connection, projector)
    await engine.dispose()
    return applied.total()


async def read_log(settings: Settings, topic: str) -> dict[Place, bytes]:
    """Every record of the topic: its event key, or its bytes when it is no event."""
    log: dict[Place, bytes] = {}
    async with AIOKafkaConsumer(
        bootstrap_servers=settings.kafka.bootstrap, enable_auto_commit=False
    ) as consumer:
        await consumer.topics()
        places = [TopicPartition(topic, number) for number in range(4)]
        consumer.assign(places)
        for place in places:
            consumer.seek(place, 0)
        while not await _at_end(consumer, places):
            for place, records in (await consumer.getmany(timeout_ms=200)).items():
                for record in records:
                    log[(place.partition, record.offset)] = _identity(record.value)
    return log


async def _at_end(consumer: AIOKafkaConsumer, places: list[TopicPartition]) -> bool:
    for place in places:
        end = consumer.highwater(place)
        if end is None or await consumer.position(place) < end:
            return False
    return True


def _identity(value: bytes | None) -> bytes:
    try:
        envelope = codec.decode(value)
    except codec.UndecodableEventError:
        return value or b""
    return event_key(envelope.source, envelope.id)


async def _until_level(
    connection: AsyncConnection, projector: str, wanted: int, quiet_seconds: float
) -> None:
    deadline = monotonic() + _PATIENCE_SECONDS
    moved_at, before = monotonic(), -1
    while monotonic() < deadline and monotonic() - moved_at < quiet_seconds:
        found = await connection.scalar(
            text(
                'SELECT (SELECT count(DISTINCT (partition, "offset")) FROM effect'
                " WHERE projector = :p) + (SELECT count(*) FROM parked_event WHERE projector = :p)"
            ),
            {"p": projector},
        )
        await connection.rollback()
        if (found or 0) >= wanted:
            return
        if found != before:
            moved_at, before = monotonic(), found or 0
        await asyncio.sleep(0.1)


async def _effects(connection: AsyncConnection, projector: str) -> Counter[Place]:
    rows = await connection.execute(
        text('SELECT partition, "offset" FROM effect WHERE projector = :p'), {"p": projector}
    )
    return Counter((row[0], row[1]) for row in rows)


async def _parked(connection: AsyncConnection, projector: str) -> set[Place]:
    rows = await connection.execute(
        text('SELECT partition, "offset" FROM parked_event WHERE projector = :p'),
        {"p": projector},
    )
    return {(row[0], row[1]) for row in rows}
