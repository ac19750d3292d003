"""Numbered records for tests of the producer, and reading them back from the log."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from rapport_cli.stack.broker import Broker
from rapport_runtime.delivery import Outgoing
from rapport_runtime.metrics import Metrics
from rapport_runtime.producer import EventProducer
from rapport_runtime.settings import Settings


def numbered(key: str, numbers: Sequence[int], size: int = 100) -> list[Outgoing]:
    """Records of one key whose values are the numbers, padded to `size` bytes."""
    headers = [("ce_id", key.encode())]
    return [Outgoing(key.encode(), str(number).rjust(size).encode(), headers) for number in numbers]


def spool_settings(bootstrap: str, directory: Path, *, idempotent: bool = False) -> Settings:
    return Settings.model_validate(
        {
            "kafka": {"bootstrap": bootstrap, "idempotence": idempotent},
            "database": {"url": "postgresql+asyncpg://unused"},
            "spool": {"dir": directory, "max_bytes": 16 << 20},
        }
    )


@asynccontextmanager
async def producing(broker: Broker, topic: str, directory: Path) -> AsyncIterator[EventProducer]:
    """A started producer, stopped at the end."""
    settings = spool_settings(broker.bootstrap, directory, idempotent=broker.idempotent)
    producer = EventProducer(settings, topic, Metrics("tests"))
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


def pause(broker: Broker) -> None:
    """Stop the broker in its tracks: a signal alone may let it answer once more (Linux)."""
    broker.pause()
    state = Path(f"/proc/{broker.pid}/stat")
    while state.read_text().rpartition(")")[2].split()[0] != "T":
        time.sleep(0.001)


async def read_numbers(bootstrap: str, topic: str) -> dict[str, list[int]]:
    """What the log holds of each key, in order, repeats included."""
    found: dict[str, list[int]] = {}
    for _, _, key, number in await read_places(bootstrap, topic):
        found.setdefault(key, []).append(number)
    return found


async def read_places(bootstrap: str, topic: str) -> list[tuple[int, int, str, int]]:
    """Partition, offset, key and number of every record, in this order."""
    found = []
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, enable_auto_commit=False
    ) as consumer:
        places = sorted(consumer.assignment())
        for place in places:
            consumer.seek(place, 0)
        while not await _at_end(consumer, places):
            for place, records in (await consumer.getmany(timeout_ms=200)).items():
                found += [
                    (place.partition, record.offset, record.key.decode(), int(record.value))
                    for record in records
                ]
    return sorted(found)


async def _at_end(consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]) -> bool:
    for place in places:
        end = consumer.highwater(place)
        if end is None or await consumer.position(place) < end:
            return False
    return True
