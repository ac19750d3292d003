"""Fetching batches: large when there is much to catch up with, at once when there is little."""

import asyncio
from collections.abc import Mapping
from time import monotonic, time
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from rapport_runtime.contract import Subscription
from rapport_runtime.subscription.assignment import Assignment, StaleAssignmentError
from rapport_runtime.subscription.batch import Batch, read_batch
from rapport_runtime.subscription.offsets import Step

_POLL_MS: Final = 200
_TOP_UP_MS: Final = 10
_TOP_UP_SECONDS: Final = 0.1

Bounds = Mapping[tuple[str, int], int]
"""Topic and partition to the first offset that is not read; what is not named is not read."""

_Raw = dict[TopicPartition, list[ConsumerRecord]]


class Reader:
    """Reads on from claimed positions, until the assignment changes or the bounds are reached."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        assignment: Assignment,
        subscription: Subscription,
        positions: dict[TopicPartition, int],
        bounds: Bounds | None = None,
    ) -> None:
        self._consumer = consumer
        self._assignment = assignment
        self._subscription = subscription
        self._positions = positions
        self._bounds = bounds
        self._began_at = time()
        self.epoch = assignment.epoch

    async def read(self, most: int) -> Batch | None:
        """Up to `most` events, or None when there are none for 200 ms.

        Raises StaleAssignmentError when partitions moved meanwhile.
        """
        fetched = await self._fetch(_POLL_MS, most)
        if not fetched:
            return await self._over_gaps()
        await self._top_up(fetched, most)
        self._check(fetched)
        ends = self.high_watermarks()
        batch = await read_batch(fetched, self._positions, ends, self._subscription, self.epoch)
        self._assignment.require(self.epoch)
        self._positions.update({step.place: step.next_offset for step in batch.steps})
        return batch

    def high_watermarks(self) -> dict[TopicPartition, int]:
        """The end of each partition as its last fetch saw it.

        Not `end_offsets()`: not every broker answers that rightly.
        """
        self._assignment.require(self.epoch)
        return {place: self._consumer.highwater(place) or 0 for place in self._positions}

    def silent_seconds(self) -> float:
        """How long the broker has not answered a fetch of ours."""
        self._assignment.require(self.epoch)
        if not self._positions:
            return 0.0
        answers = map(self._consumer.last_poll_timestamp, self._positions)
        last = max((answer / 1000 for answer in answers if answer is not None), default=0.0)
        return time() - max(last, self._began_at)

    async def _fetch(self, wait_ms: int, most: int) -> _Raw:
        """Records below the bounds. Of a partition that has reached its bound none is asked for:
        the client may have read past it."""
        bounds = self._bounds
        if bounds is None:
            places = []
        elif not (places := [p for p, at in self._positions.items() if at < bounds.get(p, at)]):
            # The client takes an empty list for all partitions.
            await asyncio.sleep(wait_ms / 1000)
            return {}
        fetched: _Raw = await self._consumer.getmany(*places, timeout_ms=wait_ms, max_records=most)
        self._assignment.require(self.epoch)
        return fetched if bounds is None else _below(fetched, bounds)

    async def _top_up(self, fetched: _Raw, most: int) -> None:
        """A transaction costs the same for few events: while behind, wait a little for more."""
        deadline = monotonic() + _TOP_UP_SECONDS
        left = most - sum(map(len, fetched.values()))
        while left > 0 and self._is_behind(fetched) and monotonic() < deadline:
            for place, records in (await self._fetch(_TOP_UP_MS, left)).items():
                fetched[place] = fetched.get(place, []) + records
                left -= len(records)

    def _is_behind(self, fetched: _Raw) -> bool:
        ends = self._ends()
        read = {place: records[-1].offset + 1 for place, records in fetched.items()}
        return any(read.get(place, self._positions[place]) < ends[place] for place in ends)

    def _ends(self) -> dict[TopicPartition, int]:
        """Where there is nothing more for us: the end of the partition, or its bound."""
        ends = self.high_watermarks()
        if self._bounds is None:
            return ends
        return {
            place: min(end, self._bounds.get(place, self._positions[place]))
            for place, end in ends.items()
        }

    def _check(self, fetched: _Raw) -> None:
        for place, records in fetched.items():
            if records[0].offset < self._positions.get(place, records[0].offset + 1):
                raise StaleAssignmentError

    async def _over_gaps(self) -> Batch | None:
        """Step over markers of transactions: they have offsets, and are no records."""
        steps = []
        for place, end in self._ends().items():
            known = self._positions[place]
            if known < end:
                reached = min(end, await self._consumer.position(place))
                self._assignment.require(self.epoch)
                if reached > known:
                    steps.append(Step.over_nothing(place, known, reached, end))
        self._positions.update({step.place: step.next_offset for step in steps})
        return Batch(self.epoch, steps, (), ()) if steps else None


def _below(fetched: _Raw, bounds: Bounds) -> _Raw:
    kept = {
        place: [record for record in records if record.offset < bounds[place]]
        for place, records in fetched.items()
    }
    return {place: records for place, records in kept.items() if records}
