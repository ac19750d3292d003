"""What a Faust agent reads, exactly once: behind positions of our own, whatever Faust has acked.

Faust acknowledges an event whose agent raised, and may commit past one that is still being worked
on. So its committed offsets are never believed: a record changes something only when it is the
next one by `projector_offset`; an older one is a repeat, and a newer one shows a gap, for which
the common loop goes back.
"""

import asyncio
from typing import Final, Literal

import structlog
from aiokafka import TopicPartition
from faust.types.tuples import Message
from rapport_runtime.contract import Resources, Subscription
from rapport_runtime.failpoint import failpoint
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.pause import pause
from rapport_runtime.subscription import run_subscription
from rapport_runtime.subscription.batch import read_batch
from rapport_runtime.subscription.offsets import FencedError, load_positions
from rapport_runtime.subscription.transaction import apply_batch

_RETRY_SECONDS: Final = 0.5

Taken = Literal["taken", "repeat", "stopped"]

log = structlog.get_logger(__name__)


class Reactions:
    """Takes the records of a subscription's topic one by one, in order, each once."""

    def __init__(
        self, subscription: Subscription, resources: Resources, stop: asyncio.Event
    ) -> None:
        self._subscription = subscription
        self._resources = resources
        self._stop = stop
        self._expected: dict[TopicPartition, int] = {}
        self._looked: dict[TopicPartition, int] = {}
        self._turn = asyncio.Lock()

    async def take(self, message: Message, high_watermark: int) -> Taken:
        """Apply the record if it is the next one, and first whatever is missing before it.

        The environment is waited for. What is raised is a bug or a log that is not the one of
        before: the process must not outlive it.
        """
        place = TopicPartition(message.topic, message.partition)
        return await self._persist(place, message, message.offset + 1, high_watermark)

    async def look(self, place: TopicPartition, high_watermark: int) -> Taken:
        """Called now and then: what waits since the last look is what Faust will not bring."""
        before, expected = self._looked.get(place), await self._next(place)
        self._looked[place] = expected
        if before != expected:
            return "repeat"
        return await self._persist(place, None, high_watermark, high_watermark)

    async def _persist(
        self, place: TopicPartition, message: Message | None, until: int, end: int
    ) -> Taken:
        async with self._turn:
            while not self._stop.is_set():
                try:
                    return await self._advance(place, message, until, end)
                except FencedError:
                    self._expected.pop(place, None)
                except WAITED_FOR as error:
                    if not is_environment(error):
                        raise
                    log.warning("reaction waits", reason=type(error).__name__)
                    self._expected.pop(place, None)
                    await pause(self._stop, _RETRY_SECONDS)
        return "stopped"

    async def _advance(
        self, place: TopicPartition, message: Message | None, until: int, end: int
    ) -> Taken:
        expected = await self._next(place)
        if until <= expected:
            return "repeat"
        if message is None or message.offset > expected:
            await self._go_back(place, until if message is None else message.offset)
        if message is not None:
            await self._apply(place, message, end)
        return "taken"

    async def _next(self, place: TopicPartition) -> int:
        if place not in self._expected:
            async with self._resources.engine.begin() as tx:
                found = await load_positions(tx, self._subscription.name, [place])
            self._expected[place] = found[place].next_offset
        return self._expected[place]

    async def _go_back(self, place: TopicPartition, until: int) -> None:
        """Not by Faust's own `seek`: its fetcher may set the position forward again behind it."""
        log.warning(
            "going back",
            projector=self._subscription.name,
            partition=place.partition,
            expected=self._expected[place],
            next_offset=until,
        )
        bound = {(place.topic, place.partition): until}
        await run_subscription(self._subscription, self._resources, until=bound, stop=self._stop)
        self._expected.pop(place, None)

    async def _apply(self, place: TopicPartition, message: Message, end: int) -> None:
        expected = await self._next(place)
        if message.offset != expected:
            return
        failpoint("before_reaction")
        batch = await read_batch(
            {place: [message]}, {place: expected}, {place: end}, self._subscription, epoch=0
        )
        await apply_batch(self._subscription, self._resources, batch)
        failpoint("after_reaction")
        self._expected[place] = message.offset + 1
