"""Puts bytes into a topic, and says where the log ends then."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from rapport_events.envelope import Record

Positions = dict[tuple[str, int], int]


async def publish(bootstrap: str, topic: str, records: Sequence[Record]) -> Positions:
    """Publish as ingest would, keyed by subject."""
    pairs = [(record.envelope.subject or "", record.value) for record in records]
    return await publish_bytes(
        bootstrap, topic, [(key.encode() or None, value) for key, value in pairs]
    )


async def publish_bytes(
    bootstrap: str,
    topic: str,
    pairs: Sequence[tuple[bytes | None, bytes | None]],
    partition: int | None = None,
) -> Positions:
    """Publish (key, value) pairs in order; the end of each partition that was written to."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=2) as producer:
        sent = [
            await producer.send(topic, value, key=key, partition=partition) for key, value in pairs
        ]
        places = await asyncio.gather(*sent)
    ends: Positions = {}
    for place in places:
        at = (place.topic, place.partition)
        ends[at] = max(ends.get(at, 0), place.offset + 1)
    return ends
