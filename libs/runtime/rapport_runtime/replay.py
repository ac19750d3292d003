"""From the spool back to Kafka: a fresh client, and records in the order they were kept."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from prometheus_client import Counter

from rapport_runtime.delivery import Fate, Limits, TooLarge, deliver, discard, spent
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
    known = False
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await client.start()
            await client.partitions_for(topic)
            known = True
    except (KafkaError, OSError, TimeoutError) as error:
        _log.warning("kafka is away", topic=topic, cause=type(error).__name__)
    finally:
        if not known:
            await discard(client)
    return client if known else None


class Replay:
    """Moves what a spool holds into a topic, at least once and in order."""

    def __init__(self, spool: Spool, topic: str, limits: Limits, replayed: Counter) -> None:
        self._spool = spool
        self._topic = topic
        self._limits = limits
        self._replayed = replayed
        self._known: dict[int, Fate] = {}
        """Of the oldest chunk, which record was settled by an earlier try, by its index."""

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
        """One chunk: into the log first, then forgotten here. False: replace the client."""
        open_ones = [index for index in range(len(chunk.records)) if index not in self._known]
        records = [chunk.records[index] for index in open_ones]
        fates = await deliver(client, self._topic, records, self._limits, seconds)
        self._known.update(
            (index, fate) for index, fate in zip(open_ones, fates, strict=True) if fate is not None
        )
        failpoint("before_spool_advance")
        if len(self._known) < len(chunk.records) or not await self._forget(chunk):
            return False
        failpoint("after_spool_advance")
        return not spent(fates)

    async def _forget(self, chunk: Chunk) -> bool:
        refused = [
            chunk.records[index]
            for index, fate in sorted(self._known.items())
            if isinstance(fate, TooLarge)
        ]
        try:
            if refused:
                _log.error("spooled events are too large for kafka", events=len(refused))
                await self._spool.set_aside(refused)
            await self._spool.advance(chunk)
        except OSError as error:
            _log.error("spool cannot be advanced", topic=self._topic, exc_info=error)
            return False
        self._known.clear()
        self._replayed.inc(len(chunk.records))
        return True

    async def _read(self) -> Chunk | None:
        try:
            return await self._spool.read(_CHUNK_RECORDS)
        except OSError as error:
            _log.error("spool cannot be read", topic=self._topic, exc_info=error)
            return None
