"""Fetching batches: large when there is much to catch up with, at once when there is little."""

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


class Reader:
    """Reads on from claimed positions, until the assignment changes."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        assignment: Assignment,
        subscription: Subscription,
        positions: dict[TopicPartition, int],
    ) -> None:
        self._consumer = consumer
        self._assignment = assignment
        self._subscription = subscription
        self._positions = positions
        self._began_at = time()
        self.epoch = assignment.epoch

    async def read(self, most: int) -> Batch | None:
        """Up to `most` events, or None when there are none for 200 ms.

        Raises StaleAssignmentError when partitions moved meanwhile.
        """
        fetched = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=most)
        self._assignment.require(self.epoch)
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

    async def _top_up(self, fetched: dict[TopicPartition, list[ConsumerRecord]], most: int) -> None:
        """A transaction costs the same for few events: while behind, wait a little for more."""
        deadline = monotonic() + _TOP_UP_SECONDS
        left = most - sum(map(len, fetched.values()))
        while left > 0 and self._is_behind(fetched) and monotonic() < deadline:
            more = await self._consumer.getmany(timeout_ms=_TOP_UP_MS, max_records=left)
            self._assignment.require(self.epoch)
            for place, records in more.items():
                fetched[place] = fetched.get(place, []) + records
                left -= len(records)

    def _is_behind(self, fetched: dict[TopicPartition, list[ConsumerRecord]]) -> bool:
        ends = self.high_watermarks()
        read = {place: records[-1].offset + 1 for place, records in fetched.items()}
        return any(read.get(place, self._positions[place]) < ends[place] for place in ends)

    def _check(self, fetched: dict[TopicPartition, list[ConsumerRecord]]) -> None:
        for place, records in fetched.items():
            if records[0].offset < self._positions.get(place, records[0].offset + 1):
                raise StaleAssignmentError

    async def _over_gaps(self) -> Batch | None:
        """Step over markers of transactions: they have offsets, and are no records."""
        steps = []
        for place, end in self.high_watermarks().items():
            known = self._positions[place]
            if known < end:
                reached = await self._consumer.position(place)
                self._assignment.require(self.epoch)
                if reached > known:
                    steps.append(Step.over_nothing(place, known, reached, end))
        self._positions.update({step.place: step.next_offset for step in steps})
        return Batch(self.epoch, steps, (), ()) if steps else None
