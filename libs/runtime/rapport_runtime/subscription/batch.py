"""One batch: what was fetched of all partitions, read, with what could not be read set aside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Final

from aiokafka import ConsumerRecord, TopicPartition
from rapport_events.codec import UndecodableEventError
from rapport_events.envelope import Record, event_key

from rapport_runtime.computing import make_way
from rapport_runtime.contract import Subscription
from rapport_runtime.parked import Parked, Reason
from rapport_runtime.subscription.offsets import Step

_BREATH: Final = 500
"""Events decoded between two turns of the event loop: 1-2 ms, so that an API beside it lives."""

_PLAUSIBLE_YEARS: Final = range(1970, 9999)

Fetched = Mapping[TopicPartition, Sequence[ConsumerRecord]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Readable records, partition after partition in log order, and how the offsets move."""

    epoch: int
    """Of the assignment that it was fetched under."""
    steps: Sequence[Step]
    records: Sequence[Record]
    unreadable: Sequence[Parked]

    def __len__(self) -> int:
        return len(self.records) + len(self.unreadable)


async def read_batch(
    fetched: Fetched,
    expected: Mapping[TopicPartition, int],
    high_watermarks: Mapping[TopicPartition, int],
    subscription: Subscription,
    epoch: int,
) -> Batch:
    """Decode what was fetched; `expected` is the position that each partition was fetched at."""
    records: list[Record] = []
    unreadable: list[Parked] = []
    steps = []
    for place, raws in fetched.items():
        before = len(records)
        for start in range(0, len(raws), _BREATH):
            _read(place, raws[start : start + _BREATH], subscription, records, unreadable)
            await make_way()
        last = raws[-1]
        steps.append(
            Step(
                place=place,
                expected=expected[place],
                next_offset=last.offset + 1,
                anchor_offset=last.offset,
                anchor=anchor(last.value),
                high_watermark=max(high_watermarks.get(place, 0), last.offset + 1),
                recorded_at=_recorded_at(records[before:]),
            )
        )
    return Batch(epoch, steps, records, unreadable)


def anchor(value: bytes | None) -> bytes:
    """A digest by which a record is known again; 16 bytes."""
    return blake2b(value or b"", digest_size=16).digest()


def _read(
    place: TopicPartition,
    raws: Sequence[ConsumerRecord],
    subscription: Subscription,
    records: list[Record],
    unreadable: list[Parked],
) -> None:
    topic, partition = place
    for raw in raws:
        value = raw.value if subscription.unwrap is None else subscription.unwrap(raw)
        try:
            envelope = subscription.decode(value)
        except UndecodableEventError as error:
            reason = Reason(error.code, error.detail)
            unreadable.append(Parked(place, raw.offset, None, value, reason))
            continue
        records.append(
            Record(
                topic=topic,
                partition=partition,
                offset=raw.offset,
                key=event_key(envelope.source, envelope.id),
                envelope=envelope,
                value=value or b"",
            )
        )


def _recorded_at(records: Sequence[Record]) -> datetime | None:
    """When the last event was recorded, unless a stranger wrote a time that no column holds."""
    if not records:
        return None
    recorded_at = records[-1].envelope.recordedtime
    plausible = recorded_at.tzinfo is not None and recorded_at.year in _PLAUSIBLE_YEARS
    return recorded_at if plausible else None
