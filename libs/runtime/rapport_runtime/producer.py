"""The way into the log: Kafka while it answers, this machine's disk while it does not.

Whoever publishes gets an answer within seconds and never loses an acknowledged event. All
requests of the process are coalesced: one flush at a time, everything that waits in it, which
is also what keeps the order. When Kafka does not acknowledge in time, the flush and all that
comes later go to the spool; one task replays it in order, and only when it is empty do events
go to Kafka directly again. An event may be in the log twice after a failure: consumers drop
the second by its event key.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from prometheus_client import Counter

from rapport_runtime.delivery import Limits, Outgoing, deliver, discard, spent
from rapport_runtime.failpoint import failpoint
from rapport_runtime.kafka import make_producer
from rapport_runtime.metrics import COUNTS, Metrics
from rapport_runtime.pending import SPOOLED, NotPublishedError, Outcome, Pending
from rapport_runtime.replay import Connect, Replay, connect
from rapport_runtime.settings import Settings
from rapport_runtime.spool import Spool, SpoolFullError

ACK_SECONDS: Final = 3.0
"""What Kafka has to acknowledge a flush before it goes to the spool."""

PUBLISH_SECONDS: Final = 8.0
"""The longest `publish` takes, whatever fails."""

_REPLAY_SECONDS: Final = 10.0
_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 2.0
_FLUSH_RECORDS: Final = 5_000
_WAITING_BYTES: Final = 64 << 20

_log = structlog.get_logger(__name__)


class SpoolMissingError(Exception):
    """No directory for the spool: then an outage of Kafka would lose events."""

    def __init__(self) -> None:
        super().__init__("RAPPORT_SPOOL__DIR is not set; name a directory on this machine's disk")


class EventProducer:
    """The one producer of a process for a topic; many requests may publish at once."""

    def __init__(
        self, settings: Settings, topic: str, metrics: Metrics, make: Connect = make_producer
    ) -> None:
        """`make` gives a client that is not started. Raises SpoolMissingError."""
        if settings.spool.dir is None:
            raise SpoolMissingError
        self._settings = settings
        self._topic = topic
        self._make = make
        self._spool = Spool(settings.spool.dir / topic, settings.spool.max_bytes)
        self._limits = Limits()
        replayed = _replayed_counter(metrics, topic)
        self._replay = Replay(self._spool, topic, self._limits, replayed)
        self._client: AIOKafkaProducer | None = None
        """Set while events go to Kafka directly, None while they go to the spool."""
        self._waiting: list[Pending] = []
        self._waiting_bytes = 0
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._observe(metrics)

    async def start(self) -> None:
        """Open the spool and connect; what the spool holds is replayed before anything newer.

        Kafka may be away: then this returns after 3 s and events go to the spool.
        Raises SpoolInUseError, OSError.
        """
        await self._spool.open()
        self._tasks["flush"] = asyncio.create_task(self._flush_for_ever())
        self._tasks["flush"].add_done_callback(_tell)
        self._fall_back(None)
        await asyncio.wait([self._tasks["replay"]], timeout=ACK_SECONDS)

    async def publish(self, batch: Sequence[Outgoing]) -> list[Outcome]:
        """What became of each record, in order, after at most 8 s.

        Raises SpoolFullError: not all of the batch was taken, and it has to be sent again;
        NotPublishedError: the same, after a bug has ended the producer.
        """
        pending = Pending(batch, self._limits.record_bytes)
        if self._tasks["flush"].done():
            raise NotPublishedError
        if self._waiting_bytes + pending.size > _WAITING_BYTES:
            raise SpoolFullError("too much is waiting to be written", retry_after=1)
        self._waiting.append(pending)
        self._waiting_bytes += pending.size
        self._wake.set()
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                return await pending.answer
        except TimeoutError:
            raise SpoolFullError("neither Kafka nor the disk answers") from None

    async def stop(self) -> None:
        """Finish what waits, then close; what Kafka does not take in time stays in the spool."""
        async with self._turn:
            while self._waiting:
                await self._flush(self._take())
            for task in self._tasks.values():
                task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if self._client is not None:
            await discard(self._client)
            self._client = None
        await self._spool.close()

    async def until_direct(self) -> None:
        """Wait until the spool is replayed and events go to Kafka directly."""
        while self._client is None:
            await asyncio.wait([self._tasks["replay"]])

    async def why_unready(self) -> str | None:
        """A check for `/readyz`. Kafka being away is no reason: events are still taken."""
        if self._tasks["flush"].done():
            return "the producer has ended"
        full = self._spool.contents.bytes >= self._settings.spool.max_bytes
        return "the spool is full" if full else None

    async def _flush_for_ever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                async with self._turn:
                    await self._flush(self._take())

    def _take(self) -> list[Pending]:
        """The requests of the next flush, oldest first."""
        count, records = 0, 0
        while count < len(self._waiting) and records < _FLUSH_RECORDS:
            records += len(self._waiting[count].records)
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        self._waiting_bytes -= sum(pending.size for pending in taken)
        return taken

    async def _flush(self, requests: list[Pending]) -> None:
        try:
            if self._client is not None:
                await self._send(self._client, requests)
            await self._keep(requests)
        finally:
            for pending in requests:
                pending.resolve()

    async def _send(self, client: AIOKafkaProducer, requests: list[Pending]) -> None:
        """To Kafka; what it did not acknowledge stays open."""
        places = [(pending, index) for pending in requests for index in pending.open_indices()]
        records = [pending.records[index] for pending, index in places]
        failpoint("before_kafka_publish")
        with self._flush_seconds.time():
            fates = await deliver(client, self._topic, records, self._limits, ACK_SECONDS)
        failpoint("after_kafka_publish")
        self._flush_records.observe(len(records))
        for (pending, index), fate in zip(places, fates, strict=True):
            pending.outcomes[index] = fate
        if spent(fates):
            _log.warning("kafka did not acknowledge, spooling", topic=self._topic)
            self._fall_back(client)

    async def _keep(self, requests: list[Pending]) -> None:
        """To the spool, whatever is open; when it does not fit, those requests fail."""
        places = [(pending, index) for pending in requests for index in pending.open_indices()]
        if not places:
            return
        failpoint("before_spool_append")
        try:
            await self._spool.append([pending.records[index] for pending, index in places])
        except SpoolFullError as error:
            for pending, _ in places:
                pending.fail(error)
            return
        failpoint("after_spool_append")
        for pending, index in places:
            pending.outcomes[index] = SPOOLED
        self._spooled.inc(len(places))

    def _fall_back(self, failed: AIOKafkaProducer | None) -> None:
        """From now on to the spool, until it is replayed."""
        self._client = None
        self._tasks["replay"] = asyncio.create_task(self._recover(failed))

    async def _recover(self, client: AIOKafkaProducer | None) -> None:
        """Replace the failed client, replay the spool, then let events go to Kafka directly."""
        pause = _FIRST_PAUSE
        try:
            while True:
                if client is not None:
                    await discard(client)
                client = await connect(self._make, self._settings, self._topic)
                if client is not None and await self._replay.most(client, _REPLAY_SECONDS):
                    # Nobody appends during our turn, so what is left is all there is.
                    async with self._turn:
                        if await self._replay.rest(client, ACK_SECONDS):
                            self._client = client
                            _log.info("events go to kafka directly", topic=self._topic)
                            return
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        finally:
            if client is not None and client is not self._client:
                await discard(client)

    def _observe(self, metrics: Metrics) -> None:
        labels, topic = ("topic",), self._topic
        spooled = metrics.counter("spooled_events", "Events that went to the spool", labels)
        seconds = metrics.histogram("flush_seconds", "Time until Kafka acknowledged", labels)
        records = metrics.histogram("flush_events", "Events in one flush", labels, COUNTS)
        self._spooled = spooled.labels(topic)
        self._flush_seconds = seconds.labels(topic)
        self._flush_records = records.labels(topic)
        spool = self._spool
        for what, help_text, read in (
            ("spool_bytes", "Bytes in the spool", lambda: spool.contents.bytes),
            ("spool_events", "Events in the spool", lambda: spool.contents.records),
            ("spool_oldest_seconds", "Age of the spool", lambda: spool.oldest_seconds),
            ("producer_waiting_bytes", "Bytes waiting to be sent", lambda: self._waiting_bytes),
        ):
            metrics.gauge(what, help_text, labels).labels(topic).set_function(read)


def _replayed_counter(metrics: Metrics, topic: str) -> Counter:
    counter = metrics.counter("replayed_events", "Events replayed from the spool", ("topic",))
    return counter.labels(topic)


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("producer ended", exc_info=error)
