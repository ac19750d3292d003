"""Where the log ends at this moment."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from aiokafka import TopicPartition
from rapport_events.topics import INTERACTIONS
from rapport_runtime.kafka import make_consumer
from rapport_runtime.settings import Settings

_SECONDS: Final = 8.0

Ends = Mapping[str, Mapping[int, int]]
"""Topic to partition to the offset of the next event that will come."""


async def load_ends(settings: Settings) -> Ends:
    """The ends of the log of interactions. Raises KafkaError, OSError and TimeoutError."""
    topic = INTERACTIONS.name
    consumer = make_consumer(settings, None)
    try:
        async with asyncio.timeout(_SECONDS):
            await consumer.start()
            await consumer.topics()
            numbers = consumer.partitions_for_topic(topic) or ()
            ends = await consumer.end_offsets([TopicPartition(topic, one) for one in numbers])
    finally:
        # aiokafka's coordinator for consumers without a group is cancelled by its own close.
        with suppress(asyncio.CancelledError):
            await consumer.stop()
    return {topic: {place.partition: offset for place, offset in ends.items()}}
