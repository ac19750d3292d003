"""Whether this database knows what the log knows: an older one would ask people twice."""

import asyncio
from contextlib import suppress
from typing import Final

from rapport_runtime.kafka import make_consumer
from rapport_runtime.progress import Positions, read_positions
from rapport_runtime.subscription import Resources

from rapport_feedback.consumer import PROJECTOR, TOPICS
from rapport_feedback.settings import FeedbackSettings

_SECONDS: Final = 8.0


class Level:
    """Once the projection has passed where the log ended when we looked, it is reached.

    What is published from then on was decided in this database, or follows from what was.
    """

    def __init__(self, resources: Resources, settings: FeedbackSettings) -> None:
        self._resources = resources
        self._settings = settings
        self._ends: Positions | None = None
        self._is_reached = False

    def forget(self) -> None:
        """Look again: the database may be another one."""
        self._ends, self._is_reached = None, False

    async def is_reached(self) -> bool:
        """Raises what a broker or a database raises that cannot be reached."""
        if self._is_reached:
            return True
        if self._ends is None:
            self._ends = await _log_ends(self._settings)
        positions = await read_positions(self._resources.engine, PROJECTOR)
        self._is_reached = all(positions.get(place, 0) >= end for place, end in self._ends.items())
        return self._is_reached


async def _log_ends(settings: FeedbackSettings) -> Positions:
    consumer = make_consumer(settings, None)
    # Without a group this assigns all partitions at the start, or fails if a topic is unknown.
    consumer.subscribe(TOPICS)
    try:
        async with asyncio.timeout(_SECONDS):
            await consumer.start()
            ends = await consumer.end_offsets(consumer.assignment())
    finally:
        # aiokafka's coordinator for consumers without a group is cancelled by its own close.
        with suppress(asyncio.CancelledError):
            await consumer.stop()
    return {(place.topic, place.partition): end for place, end in ends.items()}
