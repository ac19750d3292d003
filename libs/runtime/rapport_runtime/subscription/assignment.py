"""Which partitions are ours, as an epoch: what was known before it changed is void."""

import asyncio
from collections.abc import Collection
from time import monotonic

from aiokafka import ConsumerRebalanceListener, TopicPartition


class StaleAssignmentError(Exception):
    """Partitions have moved since: what was fetched or read of them must be dropped."""


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Told by the client before partitions go and after they came.

    The client rebalances in the background, also while a batch is being applied.
    """

    def __init__(self) -> None:
        self.epoch = 0
        self.settled = asyncio.Event()
        self._unsettled_at = monotonic()

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:  # noqa: ARG002
        self.epoch += 1
        self.settled.clear()
        self._unsettled_at = monotonic()

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:  # noqa: ARG002
        self.epoch += 1
        self.settled.set()

    async def settles(self, seconds: float) -> bool:
        """Whether partitions are assigned, now or within the time."""
        try:
            await asyncio.wait_for(self.settled.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def unsettled_seconds(self) -> float:
        """How long a rebalance has been going on; one that never ends needs a new client."""
        return 0.0 if self.settled.is_set() else monotonic() - self._unsettled_at

    def require(self, epoch: int) -> None:
        """Raise StaleAssignmentError unless the assignment is still that of `epoch`."""
        if epoch != self.epoch:
            raise StaleAssignmentError
