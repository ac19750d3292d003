"""Taking over partitions: where to go on, and proof that it is still the same log."""

from collections.abc import Mapping
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    UnknownTopicOrPartitionError,
)
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rapport_runtime.contract import HaltedError, Subscription
from rapport_runtime.failpoint import failpoint
from rapport_runtime.subscription.assignment import Assignment, StaleAssignmentError
from rapport_runtime.subscription.batch import anchor
from rapport_runtime.subscription.offsets import (
    FencedError,
    Position,
    Step,
    advance,
    load_positions,
)
from rapport_runtime.tables import TABLES

MOVED: Final = (
    FencedError,
    StaleAssignmentError,
    OffsetOutOfRangeError,
    NoOffsetForPartitionError,
)
"""What a claim answers: by new positions, or by saying what is wrong with the log."""

_POLL_MS: Final = 200

log = structlog.get_logger(__name__)


class WrongLogError(HaltedError):
    """The topic is not the one that was read before: re-created, truncated, another cluster."""

    code = "wrong_log"

    def __init__(self, place: TopicPartition, next_offset: int, found: str) -> None:
        super().__init__(
            f"{place.topic}[{place.partition}] is not the log that was applied up to offset "
            f"{next_offset}: {found}. Restore the topic, or rebuild this projector from its start."
        )


class LostEventsError(HaltedError):
    """Retention removed events before they were read."""

    code = "lost_events"

    def __init__(self, place: TopicPartition, first: int, start: int) -> None:
        super().__init__(
            f"{place.topic}[{place.partition}] has lost offsets {first} to {start - 1} "
            f"({start - first} events at most) before they were read: the log begins at {start}."
        )
        self.first = first
        self.last = start - 1


class PartitionCountError(HaltedError):
    """The topic has another number of partitions: keys have moved, order is no longer kept."""

    code = "partition_count"

    def __init__(self, topic: str, pinned: int, found: int) -> None:
        super().__init__(
            f"{topic} had {pinned} partitions when it was first read and has {found} now. "
            f"Go back to {pinned}, or move to a new topic and rebuild."
        )


Offsets = Mapping[TopicPartition, int]
Positions = Mapping[TopicPartition, Position]


async def claim(
    subscription: Subscription,
    engine: AsyncEngine,
    consumer: AIOKafkaConsumer,
    assignment: Assignment,
) -> Offsets:
    """Read our positions, check that the log still fits them, and seek.

    Raises HaltedError when it does not fit, StaleAssignmentError when partitions move meanwhile,
    and UnknownTopicOrPartitionError when a topic is gone: the client would wait in silence.
    """
    epoch = assignment.epoch
    places = consumer.assignment()
    failpoint("in_assign")
    counts = count_partitions(subscription, consumer)
    if not places:
        return {}
    starts: Offsets = await consumer.beginning_offsets(list(places))
    assignment.require(epoch)
    async with engine.begin() as connection:
        await _check_pins(connection, counts)
        positions = await _load(connection, subscription, starts)
    assignment.require(epoch)
    await _check_anchors(consumer, assignment, positions, starts)
    for place, position in positions.items():
        consumer.seek(place, position.next_offset)
    failpoint("after_seek")
    return {place: position.next_offset for place, position in positions.items()}


def count_partitions(subscription: Subscription, consumer: AIOKafkaConsumer) -> Mapping[str, int]:
    """Partitions of each topic; raises UnknownTopicOrPartitionError when one is gone."""
    counts = {}
    for topic in subscription.topics:
        partitions = consumer.partitions_for_topic(topic)
        if not partitions:
            raise UnknownTopicOrPartitionError(topic)
        counts[topic] = len(partitions)
    return counts


async def _check_pins(connection: AsyncConnection, counts: Mapping[str, int]) -> None:
    pins = TABLES.topic_pin
    for topic, found in counts.items():
        pin = insert(pins).values(topic=topic, partitions=found).on_conflict_do_nothing()
        await connection.execute(pin)
        pinned = await connection.scalar(select(pins.c.partitions).where(pins.c.topic == topic))
        if pinned != found:
            raise PartitionCountError(topic, pinned or 0, found)


async def _load(
    connection: AsyncConnection, subscription: Subscription, starts: Offsets
) -> Positions:
    positions = await load_positions(connection, subscription.name, starts.keys())
    skips = []
    for place, position in positions.items():
        start = starts[place]
        if start <= position.next_offset:
            continue
        if subscription.whole or position.next_offset > 0:
            raise LostEventsError(place, position.next_offset, start)
        skips.append(Step.over_nothing(place, position.next_offset, start, start))
    if not skips:
        return positions
    await advance(connection, subscription.name, skips)
    return await load_positions(connection, subscription.name, starts.keys())


async def _check_anchors(
    consumer: AIOKafkaConsumer, assignment: Assignment, positions: Positions, starts: Offsets
) -> None:
    """Fetch the record applied last in each partition, and compare."""
    epoch = assignment.epoch
    pending = {}
    for place, position in positions.items():
        if position.anchor_offset is None:
            continue
        if position.anchor_offset < starts[place]:
            log.warning("anchor gone by retention", topic=place.topic, partition=place.partition)
            continue
        pending[place] = position
        consumer.seek(place, position.anchor_offset)
    while pending:
        first = await _first_records(consumer, pending)
        assignment.require(epoch)
        for place in list(pending):
            if place in first:
                _compare(place, pending.pop(place), first[place])
            else:
                _check_end(consumer, place, pending[place])


async def _first_records(
    consumer: AIOKafkaConsumer, pending: Positions
) -> Mapping[TopicPartition, ConsumerRecord]:
    try:
        fetched = await consumer.getmany(*pending, timeout_ms=_POLL_MS)
    except OffsetOutOfRangeError as error:
        for place, offset in error.args[0].items():
            if place in pending and offset == pending[place].anchor_offset:
                found = f"it ends before offset {offset}"
                raise WrongLogError(place, pending[place].next_offset, found) from error
        return {}
    return {place: records[0] for place, records in fetched.items()}


def _compare(place: TopicPartition, position: Position, record: ConsumerRecord) -> None:
    if record.offset != position.anchor_offset:
        log.warning("anchor gone by compaction", topic=place.topic, partition=place.partition)
    elif anchor(record.value) != position.anchor:
        found = f"the record at offset {record.offset} is another one"
        raise WrongLogError(place, position.next_offset, found)


def _check_end(consumer: AIOKafkaConsumer, place: TopicPartition, position: Position) -> None:
    """A broker need not refuse an offset just behind the end: it may wait for more instead."""
    end = consumer.highwater(place)
    if end is not None and position.anchor_offset is not None and end <= position.anchor_offset:
        raise WrongLogError(place, position.next_offset, f"it ends at offset {end}")
