"""Sending records to a topic in whole batches, and learning of each what became of it.

aiokafka's `send()` costs a future, a size estimate and a partitioner call for every record;
one `send_batch()` a partition carries a thousand records for the price of one (`bench/producer.py`
compares them).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata

from rapport_runtime.kafka import MAX_RECORD_BYTES
from rapport_runtime.partition import partition_of

_CLOSE_SECONDS: Final = 2.0


class Outgoing(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One record on its way to the log; the key decides the partition. Header values are bytes."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]] = []

    @property
    def size(self) -> int:
        """Bytes of key and value; headers are a few hundred more."""
        return len(self.key) + len(self.value)


class Placed(msgspec.Struct, frozen=True, gc=False):
    """The record is in the log, on all in-sync replicas.

    `offset` is -1 in the rare case that the broker knows the record from an earlier try of the
    same batch and no longer remembers where it put it.
    """

    partition: int
    offset: int


class TooLarge(msgspec.Struct, frozen=True, gc=False):
    """The record can never be in the log: it is larger than the brokers take."""

    size: int
    limit: int


@dataclass(slots=True)
class Limits:
    """What the brokers take, as far as we know: they tell by refusing, and topics differ."""

    record_bytes: int = MAX_RECORD_BYTES - 4_096
    """Key and value of one record; headers and the batch around them need the rest."""
    batch_bytes: int = MAX_RECORD_BYTES


Fate = Placed | TooLarge | None
"""None: unknown. The record may be in the log or not, and has to be sent again."""


async def deliver(
    client: AIOKafkaProducer,
    topic: str,
    records: Sequence[Outgoing],
    limits: Limits,
    seconds: float,
) -> list[Fate]:
    """What became of each record, in order, after at most `seconds`.

    Records of one key keep their order: behind a record that failed, nothing more is sent to its
    partition. When the brokers refuse a size, `limits` are lowered, and the client must not be
    used again: an idempotent one has lost count. Never raises for what Kafka does.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    sending = _Sending(client, topic, records, limits, deadline)
    try:
        async with asyncio.timeout_at(sending.deadline):
            sending.queues = await sending.queue_up()
        while sending.queues:
            await sending.send_round()
    except (KafkaError, TimeoutError):
        pass  # whatever has no fate yet is unknown
    return sending.fates


class _Sending:
    def __init__(
        self,
        client: AIOKafkaProducer,
        topic: str,
        records: Sequence[Outgoing],
        limits: Limits,
        deadline: float,
    ) -> None:
        self.client = client
        self.topic = topic
        self.records = records
        self.limits = limits
        self.deadline = deadline
        self.fates: list[Fate] = [None] * len(records)
        self.queues: dict[int, list[int]] = {}

    async def queue_up(self) -> dict[int, list[int]]:
        """Indices of the records by partition."""
        partitions = len(await self.client.partitions_for(self.topic))
        queues: dict[int, list[int]] = {}
        for index, record in enumerate(self.records):
            queues.setdefault(partition_of(record.key, partitions), []).append(index)
        return queues

    async def send_round(self) -> None:
        """One batch for each partition that still has records."""
        sent: dict[asyncio.Future[RecordMetadata], tuple[int, list[int]]] = {}
        try:
            async with asyncio.timeout_at(self.deadline):
                for partition, indices in self.queues.items():
                    batch, taken = self._fill(indices)
                    future = await self.client.send_batch(batch, self.topic, partition=partition)
                    future.add_done_callback(_look_at)
                    sent[future] = (partition, taken)
                await asyncio.wait(sent)
        finally:
            left = self.queues
            self.queues = {}
            for future, (partition, taken) in sent.items():
                self._settle(future, partition, taken, left[partition])

    def _fill(self, indices: list[int]) -> tuple[BatchBuilder, list[int]]:
        batch = self.client.create_batch()
        most = self.limits.batch_bytes
        for count, index in enumerate(indices):
            record = self.records[index]
            too_many = count and batch.size() + record.size > most
            if too_many or not batch.append(
                timestamp=None, key=record.key, value=record.value, headers=record.headers
            ):
                return batch, indices[:count]
        return batch, indices

    def _settle(
        self,
        future: "asyncio.Future[RecordMetadata]",
        partition: int,
        taken: list[int],
        indices: list[int],
    ) -> None:
        if not future.done() or future.cancelled():
            return
        error = future.exception()
        if error is None:
            self._place(partition, taken, future.result().offset)
            if rest := indices[len(taken) :]:
                self.queues[partition] = rest
        elif isinstance(error, MessageSizeTooLargeError | RecordListTooLargeError):
            self._learn(taken)

    def _learn(self, refused: list[int]) -> None:
        size = sum(self.records[index].size for index in refused)
        if len(refused) > 1:
            self.limits.batch_bytes = min(self.limits.batch_bytes, size // 2)
        else:
            self.limits.record_bytes = min(self.limits.record_bytes, size - 1)
            self.fates[refused[0]] = TooLarge(size, self.limits.record_bytes)

    def _place(self, partition: int, taken: list[int], first: int) -> None:
        for step, index in enumerate(taken):
            self.fates[index] = Placed(partition, first + step if first >= 0 else -1)


def spent(fates: Sequence[Fate]) -> bool:
    """Whether the client that brought these fates has to be replaced."""
    return any(fate is None or isinstance(fate, TooLarge) for fate in fates)


async def discard(client: AIOKafkaProducer) -> None:
    """Close a client without waiting for what it still wants to send; nothing more is sent.

    Its own `stop()` waits for the broker: without end when it is idempotent and the broker is
    away. There is no public way to stop at once, hence the private names.
    """
    client._closed = True  # noqa: SLF001
    sender = client._sender.sender_task  # noqa: SLF001
    if sender is not None:
        sender.cancel()
    await client.client.close()
    if sender is not None:
        await asyncio.wait([sender], timeout=_CLOSE_SECONDS)
        sender.cancel()


def _look_at(future: "asyncio.Future[RecordMetadata]") -> None:
    """A batch that fails after its deadline has nobody else who asks why."""
    if not future.cancelled():
        future.exception()
