"""From the spool back to Kafka: a fresh client, and records in the order they were kept."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from prometheus_client import Counter

from rapport_runtime.delivery import TooLarge, deliver, discard
from rapport_runtime.failpoint import failpoint
from rapport_runtime.settings import Settings
from rapport_runtime.spool import Spool
from rapport_runtime.spoolfiles import Chunk

Connect = Callable[[Settings], AIOKafkaProducer]

_CONNECT_SECONDS: Final = 5.0
_CHUNK_RECORDS: Final = 2_000

_log = structlog.get_logger(__name__)


async def connect(make: Connect, settings: Settings, topic: str) -> AIOKafkaProducer | None:
    """A client that knows the topic; None while Kafka does not answer."""
    client = make(settings)
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await client.start()
            await client.partitions_for(topic)
    except (KafkaError, OSError, TimeoutError):
        await discard(client)
        return None
    return client


class Replay:
    """Moves what a spool holds into a topic. At least once: a chunk that was not acknowledged
    as a whole is sent again as a whole."""

    def __init__(self, spool: Spool, topic: str, replayed: Counter) -> None:
        self._spool = spool
        self._topic = topic
        self._replayed = replayed

    async def most(self, client: AIOKafkaProducer, seconds: float) -> bool:
        """Until little is left; each chunk may take so long. False when Kafka or the disk fails."""
        while True:
            chunk = await self._read()
            if chunk is None or len(chunk.records) < _CHUNK_RECORDS:
                return True
            if not await self.send(client, chunk, seconds):
                return False

    async def rest(self, client: AIOKafkaProducer, seconds: float) -> bool:
        """Until nothing is left, while nobody appends. False when Kafka or the disk fails."""
        while chunk := await self._read():
            if not await self.send(client, chunk, seconds):
                return False
        return self._spool.empty

    async def send(self, client: AIOKafkaProducer, chunk: Chunk, seconds: float) -> bool:
        """One chunk: into the log first, then forgotten here."""
        fates = await deliver(client, self._topic, chunk.records, seconds)
        if None in fates:
            return False
        refused = [
            record
            for record, fate in zip(chunk.records, fates, strict=True)
            if isinstance(fate, TooLarge)
        ]
        failpoint("before_spool_advance")
        try:
            if refused:
                _log.error("spooled events are too large for kafka", events=len(refused))
                await self._spool.set_aside(refused)
            await self._spool.advance(chunk)
        except OSError as error:
            _log.error("spool cannot be advanced", topic=self._topic, exc_info=error)
            return False
        failpoint("after_spool_advance")
        self._replayed.inc(len(chunk.records))
        return True

    async def _read(self) -> Chunk | None:
        try:
            return await self._spool.read(_CHUNK_RECORDS)
        except OSError as error:
            _log.error("spool cannot be read", topic=self._topic, exc_info=error)
            return None
