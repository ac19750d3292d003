"""Where the log ends at this moment."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

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
    # Without a group this assigns all partitions at the start, or fails if the topic is unknown.
    consumer.subscribe([topic])
    try:
        async with asyncio.timeout(_SECONDS):
            await consumer.start()
            ends = await consumer.end_offsets(consumer.assignment())
    finally:
        # aiokafka's coordinator for consumers without a group is cancelled by its own close.
        with suppress(asyncio.CancelledError):
            await consumer.stop()
    return {topic: {place.partition: offset for place, offset in ends.items()}}
