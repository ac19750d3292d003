"""A process that publishes numbered events and notes which were acknowledged, to be killed.

`python -m tests.support.spool_publisher`, told what to do by its environment. The mistakes that
can be planted here are the ones that the chaos tests must see; the product has no switch for
them.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path

import uvloop
from aiokafka import AIOKafkaProducer
from rapport_runtime.delivery import deliver
from rapport_runtime.failpoint import arm, failpoint
from rapport_runtime.metrics import Metrics
from rapport_runtime.pending import SPOOLED, Pending
from rapport_runtime.producer import ACK_SECONDS, EventProducer
from rapport_runtime.replay import Replay, connect
from rapport_runtime.spool import SpoolFullError
from rapport_runtime.spoolfiles import Chunk

from tests.support.spooling import numbered, spool_settings

KEYS = [f"customer-{number}" for number in range(8)]
BATCH = 3


class AcknowledgesBeforeTheSpool(EventProducer):
    async def _keep(self, requests: list[Pending]) -> None:
        for pending in requests:
            for index in pending.open_indices():
                pending.outcomes[index] = SPOOLED
            pending.resolve()
        await asyncio.sleep(0.01)
        failpoint("before_spool_append")
        await self._spool.append([record for pending in requests for record in pending.records])


class LetsNewEventsOvertake(EventProducer):
    async def _recover(self, client: AIOKafkaProducer | None) -> None:
        client = None
        while client is None:
            client = await connect(self._make, self._settings, self._topic)
        self._client = client
        await asyncio.sleep(0.3)
        await self._replay.rest(client, ACK_SECONDS)


class AdvancesBeforeTheAck(Replay):
    async def send(self, client: AIOKafkaProducer, chunk: Chunk, seconds: float) -> bool:
        await self._spool.advance(chunk)
        failpoint("before_spool_advance")
        return None not in await deliver(client, self._topic, chunk.records, self._limits, seconds)


class ForgetsItsPlaceTooEarly(EventProducer):
    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        replay = self._replay
        self._replay = AdvancesBeforeTheAck(
            replay._spool, replay._topic, replay._limits, replay._replayed
        )


BUGS: Mapping[str, Callable[..., EventProducer]] = {
    "": EventProducer,
    "ack before spool": AcknowledgesBeforeTheSpool,
    "overtake": LetsNewEventsOvertake,
    "advance before ack": ForgetsItsPlaceTooEarly,
}


async def main(told: Mapping[str, str]) -> None:
    arm(told["FAILPOINTS"])
    settings = spool_settings(
        told["BOOTSTRAP"], Path(told["SPOOL"]), idempotent=told["IDEMPOTENT"] == "yes"
    )
    producer = BUGS[told["BUG"]](settings, told["TOPIC"], Metrics("chaos"))
    acked = os.open(told["ACKED"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    await producer.start()
    if told["FIRST"]:
        numbers = int(told["FIRST"])
        await asyncio.gather(*(publish(producer, key, numbers, acked) for key in KEYS))
    await producer.until_direct()
    await producer.stop()


async def publish(producer: EventProducer, key: str, first: int, acked: int) -> None:
    """The next events of a customer follow when the ones before were acknowledged."""
    for start in count(first, BATCH):
        batch = range(start, start + BATCH)
        try:
            await producer.publish(numbered(key, batch))
        except SpoolFullError as error:
            await asyncio.sleep(error.retry_after)
            continue
        # A line is one write: a kill leaves it whole or absent.
        os.write(acked, "".join(f"{key} {number}\n" for number in batch).encode())
        await asyncio.sleep(0.002)


if __name__ == "__main__":
    uvloop.run(main(os.environ))
    sys.exit(0)
