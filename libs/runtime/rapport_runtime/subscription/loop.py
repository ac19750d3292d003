"""The loop: claim partitions, read a batch, apply it in one transaction, read the next meanwhile.

Whatever goes wrong, memory is dropped and the positions are read again from the database: the
outcome of a COMMIT whose answer was lost is found out that way, and never guessed.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from time import monotonic
from typing import Final, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError

from rapport_runtime.contract import Resources, Subscription
from rapport_runtime.failure import WAITED_FOR, is_environment, sqlstate
from rapport_runtime.pause import pause
from rapport_runtime.subscription.assignment import Assignment
from rapport_runtime.subscription.batch import Batch
from rapport_runtime.subscription.claim import MOVED, claim, count_partitions
from rapport_runtime.subscription.client import Shown, can_connect, joined, make
from rapport_runtime.subscription.offsets import FencedError, Step, advance, count_owned
from rapport_runtime.subscription.pace import Pace
from rapport_runtime.subscription.reader import Reader
from rapport_runtime.subscription.telemetry import Telemetry
from rapport_runtime.subscription.transaction import apply_batch
from rapport_runtime.watchdog import Watchdog

_SETTLE_SECONDS: Final = 0.05
_RECHECK_SECONDS: Final = 5.0
_STALE_SECONDS: Final = 5.0

T = TypeVar("T")
Until = Mapping[tuple[str, int], int]


async def run_subscription(
    subscription: Subscription,
    resources: Resources,
    *,
    until: Until | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Project until `stop` is set, or until everything before the offsets of `until` is applied.

    Nothing beyond `until` is applied, and nothing of a partition that it does not name. With it,
    all partitions are taken by hand, without a consumer group: at once, and
    beside workers that are running (the offsets fence decides who applies what).
    Raises HaltedError when it must not go on; a bug in `apply` comes out as it is.
    """
    worker = _Worker(subscription, resources, until, stop or asyncio.Event())
    watchdog = worker.watchdog.start()
    try:
        await worker.run()
    finally:
        watchdog.stop()
        resources.progress.forget(subscription.name)


class _Worker:
    """One projector at work: its client, its claim, and the batch that is being fetched."""

    def __init__(
        self,
        subscription: Subscription,
        resources: Resources,
        until: Until | None,
        stop: asyncio.Event,
    ) -> None:
        self._subscription = subscription
        self._resources = resources
        self._until = until
        self._stop = stop
        self._telemetry = Telemetry(resources, subscription.name)
        self.watchdog = Watchdog(resources.settings.worker.stall_seconds)
        self._reader: Reader | None = None
        self._ahead: asyncio.Task[Batch | None] | None = None
        self._positions: dict[TopicPartition, int] = {}
        self._pace = Pace(resources.settings.worker.batch)
        self._checked_at = self._joined_at = 0.0
        self._fresh = False
        self._stall_seconds = resources.settings.worker.stall_seconds
        # A new client comes before the watchdog: it is the smaller remedy.
        self._patience = self._stall_seconds / 2
        self._assignment = Assignment()
        self._shown = Shown(grouped=until is None)

    async def run(self) -> None:
        """One client after another, each until it fails."""
        while not self._finished():
            try:
                await self._session()
            except WAITED_FOR as error:
                await self._wait_out(error)

    async def _session(self) -> None:
        self._assignment = assignment = Assignment()
        by_hand = self._until is not None
        consumer = make(self._subscription, self._resources, assignment, by_hand=by_hand)
        async with joined(consumer, self._stop, self._patience):
            self._joined_at = monotonic()
            if by_hand:
                # Without a group nobody tells the listener.
                assignment.settled.set()
            try:
                while not self._finished():
                    await self._guarded_turn(consumer)
                await self._shown.show(consumer, self._positions)
            finally:
                await self._forget()
                await self._shown.close()

    async def _guarded_turn(self, consumer: AIOKafkaConsumer) -> None:
        try:
            await self._turn(consumer)
        except MOVED as error:
            await self._forget()
            if isinstance(error, FencedError):
                self._telemetry.rolled_back("fenced", 0.0)
        except WAITED_FOR as error:
            if isinstance(error, KafkaError):
                raise
            await self._forget()
            await self._wait_out(error)

    async def _turn(self, consumer: AIOKafkaConsumer) -> None:
        if self._reader is None:
            await self._claim(consumer)
            return
        batch = await self._next(self._reader)
        if batch is None:
            self._fresh = False
            await self._idle(self._reader, consumer)
            return
        if not self._fresh:
            # In a quiet moment a topic may be replaced: look at the anchors before going on.
            await self._forget()
            return
        self._assignment.require(batch.epoch)
        self.watchdog.waiting = max(1, len(batch))
        # While the database works, the next batch is fetched and decoded.
        self._ahead = asyncio.create_task(self._reader.read(self._pace.most))
        began_at = monotonic()
        outcome = await apply_batch(self._subscription, self._resources, batch)
        self._pace.applied(monotonic() - began_at)
        self._advance({step.place: step.next_offset for step in batch.steps})
        self._telemetry.committed(batch, outcome, began_at)
        self.watchdog.alive()
        self._tell(self._reader)
        self._shown.show_later(consumer, self._positions)

    async def _claim(self, consumer: AIOKafkaConsumer) -> None:
        assignment = self._assignment
        if not await assignment.settles(_SETTLE_SECONDS):
            if assignment.unsettled_seconds() > self._patience:
                raise KafkaTimeoutError
            return
        offsets = await self._in_time(
            claim(self._subscription, self._resources.engine, consumer, assignment)
        )
        self._reader = Reader(consumer, assignment, self._subscription, dict(offsets), self._until)
        self._positions = {}
        self._resources.progress.forget(self._subscription.name)
        self._advance(offsets)
        self._fresh = True
        self._checked_at = monotonic()
        self._telemetry.claimed(offsets)

    async def _next(self, reader: Reader) -> Batch | None:
        ahead, self._ahead = self._ahead, None
        return await self._in_time(ahead or reader.read(self._pace.most))

    async def _in_time(self, answer: Awaitable[T]) -> T:
        """Give up a client that never answers (aiokafka#712): raises KafkaTimeoutError."""
        try:
            return await asyncio.wait_for(answer, self._patience)
        except TimeoutError as error:
            raise KafkaTimeoutError from error

    async def _idle(self, reader: Reader, consumer: AIOKafkaConsumer) -> None:
        waiting = self._tell(reader)
        self._shown.show_later(consumer, self._positions)
        silent = reader.silent_seconds() > _STALE_SECONDS
        if silent and await can_connect(self._resources.settings.kafka.bootstrap):
            # The broker is there and our client does not hear it: it is stuck.
            self.watchdog.waiting = max(1, waiting)
        elif silent or not waiting:
            self.watchdog.alive()
        if not silent and monotonic() - self._checked_at > _RECHECK_SECONDS:
            await self._recheck(reader, consumer)

    async def _recheck(self, reader: Reader, consumer: AIOKafkaConsumer) -> None:
        """Say that we are level, and look again whether it is still the same log."""
        name, topics = self._subscription.name, self._subscription.topics
        ends = reader.high_watermarks()
        steps = [
            Step.over_nothing(place, position, position, ends.get(place, position))
            for place, position in self._positions.items()
        ]
        async with self._resources.engine.begin() as connection:
            await advance(connection, name, steps)
            owned = await count_owned(connection, name, topics, self._stall_seconds)
        await self._forget()
        if owned < sum(count_partitions(self._subscription, consumer).values()):
            await self._rejoin(consumer)

    async def _rejoin(self, consumer: AIOKafkaConsumer) -> None:
        """Ask for a new assignment when partitions have had no owner for too long.

        A group of static members keeps the assignment of a moment when a topic was missing.
        """
        if self._until is None and monotonic() - self._joined_at > self._stall_seconds:
            self._joined_at = monotonic()
            self._telemetry.unowned()
            consumer.subscribe(self._subscription.topics, listener=self._assignment)

    def _advance(self, offsets: Mapping[TopicPartition, int]) -> None:
        self._positions.update(offsets)
        positions = {(place.topic, place.partition): at for place, at in offsets.items()}
        self._resources.progress.advance(self._subscription.name, positions)

    def _tell(self, reader: Reader) -> int:
        ends = reader.high_watermarks()
        self.watchdog.waiting = self._telemetry.stand(self._positions, ends)
        lags = {place: max(0, ends.get(place, 0) - at) for place, at in self._positions.items()}
        self._resources.progress.stand(self._subscription.name, lags)
        return self.watchdog.waiting

    async def _forget(self) -> None:
        """Drop what memory holds of the partitions; the next turn claims them again."""
        ahead, self._ahead, self._reader = self._ahead, None, None
        if ahead is not None:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)

    async def _wait_out(self, error: BaseException) -> None:
        if not is_environment(error):
            raise error
        wait = self._pace.failed()
        self._telemetry.rolled_back(sqlstate(error) or type(error).__name__, wait)
        self.watchdog.alive()
        await pause(self._stop, wait)

    def _finished(self) -> bool:
        if self._stop.is_set():
            return True
        return self._until is not None and all(
            self._positions.get(TopicPartition(*place), -1) >= offset
            for place, offset in self._until.items()
        )
