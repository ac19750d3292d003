"""The projector's positions in its own database: the one truth about what was applied."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from aiokafka import TopicPartition
from sqlalchemy import select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_runtime.tables import TABLES


class FencedError(Exception):
    """Somebody else moved these offsets: the partition is no longer ours, or memory is stale."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a projector is in one partition."""

    next_offset: int
    anchor_offset: int | None
    anchor: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How one batch moves one partition: from `expected` to `next_offset`."""

    place: TopicPartition
    expected: int
    next_offset: int
    anchor_offset: int | None
    """None: nothing was applied, the anchor stays (the log had only markers here)."""
    anchor: bytes | None
    high_watermark: int
    recorded_at: datetime | None

    @classmethod
    def over_nothing(
        cls, place: TopicPartition, expected: int, next_offset: int, high_watermark: int
    ) -> "Step":
        """A step without events: over a gap in the offsets, or only to say that all is well."""
        return cls(
            place=place,
            expected=expected,
            next_offset=next_offset,
            anchor_offset=None,
            anchor=None,
            high_watermark=high_watermark,
            recorded_at=None,
        )


_ADVANCE: Final = text("""
    UPDATE projector_offset AS old
    SET next_offset = new.next_offset,
        anchor_offset = COALESCE(new.anchor_offset, old.anchor_offset),
        anchor = COALESCE(new.anchor, old.anchor),
        high_watermark = new.high_watermark,
        recorded_at = COALESCE(new.recorded_at, old.recorded_at),
        updated_at = now()
    FROM unnest(
        CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:expected AS bigint[]),
        CAST(:next_offsets AS bigint[]), CAST(:anchor_offsets AS bigint[]),
        CAST(:anchors AS bytea[]), CAST(:high_watermarks AS bigint[]),
        CAST(:recorded AS timestamptz[])
    ) AS new(topic, partition, expected, next_offset, anchor_offset, anchor,
             high_watermark, recorded_at)
    WHERE old.projector = :projector AND old.topic = new.topic
      AND old.partition = new.partition AND old.next_offset = new.expected
""")


_OWNED: Final = text("""
    SELECT count(*) FROM projector_offset
    WHERE projector = :projector AND topic = ANY(CAST(:topics AS text[]))
      AND updated_at > now() - CAST(:age AS interval)
""")


async def advance(connection: AsyncConnection, projector: str, steps: Sequence[Step]) -> None:
    """Move the offsets, if they are where we believe; raises FencedError if one is not.

    This condition is what makes effects exactly-once under `kill -9`, paused zombies and
    rebalances. Committing to Kafka after the database is no substitute for it.
    """
    moved = await connection.execute(
        _ADVANCE,
        {
            "projector": projector,
            "topics": [step.place.topic for step in steps],
            "partitions": [step.place.partition for step in steps],
            "expected": [step.expected for step in steps],
            "next_offsets": [step.next_offset for step in steps],
            "anchor_offsets": [step.anchor_offset for step in steps],
            "anchors": [step.anchor for step in steps],
            "high_watermarks": [step.high_watermark for step in steps],
            "recorded": [step.recorded_at for step in steps],
        },
    )
    if moved.rowcount != len(steps):
        raise FencedError(f"{len(steps) - moved.rowcount} of {len(steps)} partitions have moved")


async def count_owned(
    connection: AsyncConnection, projector: str, topics: Collection[str], seconds: float
) -> int:
    """How many partitions somebody has moved or confirmed within the last `seconds`."""
    found = await connection.scalar(
        _OWNED, {"projector": projector, "topics": list(topics), "age": timedelta(seconds=seconds)}
    )
    return int(found or 0)


async def load_positions(
    connection: AsyncConnection, projector: str, places: Collection[TopicPartition]
) -> dict[TopicPartition, Position]:
    """The position in each partition; a partition never seen before begins at 0."""
    offsets = TABLES.projector_offset
    begin = insert(offsets).on_conflict_do_nothing()
    await connection.execute(
        begin,
        [
            {
                "projector": projector,
                "topic": place.topic,
                "partition": place.partition,
                "next_offset": 0,
            }
            for place in sorted(places)
        ],
    )
    rows = await connection.execute(
        select(offsets).where(
            offsets.c.projector == projector,
            tuple_(offsets.c.topic, offsets.c.partition).in_([tuple(place) for place in places]),
        )
    )
    return {
        TopicPartition(row.topic, row.partition): Position(
            row.next_offset, row.anchor_offset, row.anchor
        )
        for row in rows
    }
