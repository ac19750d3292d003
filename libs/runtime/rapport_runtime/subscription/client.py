"""The loop's Kafka client: joining, leaving, and showing others where we are."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError

from rapport_runtime.contract import Resources, Subscription
from rapport_runtime.kafka import make_consumer
from rapport_runtime.subscription.assignment import Assignment

_LEAVE_SECONDS: Final = 5.0
_SHOW_SECONDS: Final = 1.0
_CONNECT_SECONDS: Final = 2.0

log = structlog.get_logger(__name__)


def make(
    subscription: Subscription, resources: Resources, assignment: Assignment, *, by_hand: bool
) -> AIOKafkaConsumer:
    """A consumer of the subscription's topics: in its group, or by hand of all partitions."""
    settings = resources.settings
    group = None if by_hand else subscription.name
    consumer = make_consumer(settings, group, None if by_hand else settings.kafka.instance_id)
    consumer.subscribe(subscription.topics, listener=assignment)
    return consumer


@asynccontextmanager
async def joined(
    consumer: AIOKafkaConsumer, stop: asyncio.Event, seconds: float
) -> AsyncIterator[None]:
    """Start the consumer, and leave in order when the block ends.

    Raises KafkaTimeoutError when joining takes longer than `seconds`; `stop` ends it as well.
    """
    starting = asyncio.create_task(consumer.start())
    stopping = asyncio.create_task(stop.wait())
    try:
        both = {starting, stopping}
        await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
        elif not stop.is_set():
            raise KafkaTimeoutError
        yield
    finally:
        for task in (starting, stopping):
            task.cancel()
        await asyncio.gather(starting, stopping, return_exceptions=True)
        with suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(consumer.stop(), _LEAVE_SECONDS)


async def can_connect(bootstrap: str) -> bool:
    """Whether any of the brokers accepts a connection."""
    for address in bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CONNECT_SECONDS):
                _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            writer.close()
            return True
    return False


class Shown:
    """The positions as the consumer group shows them; for tools that display lag, no more.

    Truth is in the database: these are committed now and then, afterwards, and may be lost.
    """

    def __init__(self, *, grouped: bool) -> None:
        self._grouped = grouped
        self._due_at = 0.0
        self._task: asyncio.Task[None] | None = None
        self._last: Mapping[TopicPartition, int] = {}

    def show_later(
        self, consumer: AIOKafkaConsumer, positions: Mapping[TopicPartition, int]
    ) -> None:
        """Commit to Kafka in the background, once a second at most."""
        busy = self._task is not None and not self._task.done()
        if busy or monotonic() < self._due_at or positions == self._last:
            return
        self._due_at = monotonic() + _SHOW_SECONDS
        self._task = asyncio.create_task(self.show(consumer, dict(positions)))

    async def show(
        self, consumer: AIOKafkaConsumer, positions: Mapping[TopicPartition, int]
    ) -> None:
        """Commit to Kafka now; whatever happens, the loop goes on."""
        if not positions or not self._grouped:
            return
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(_SHOW_SECONDS):
                await consumer.commit(dict(positions))
            self._last = dict(positions)

    async def close(self) -> None:
        """Wait for a commit that is under way."""
        if self._task is not None:
            await self._task
