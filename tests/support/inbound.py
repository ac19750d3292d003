"""Events put straight into ingest's inbound topic, and the worker that takes them."""

import asyncio
from collections.abc import Sequence

import orjson
from aiokafka import AIOKafkaProducer
from rapport_ingest.inbound import inbound_subscription
from rapport_runtime.subscription import run_subscription

from tests.support.ingest_house import Ingest, an_id

Letter = tuple[bytes | None, list[tuple[str, bytes]]]
Place = tuple[int, int]

STRUCTURED = [("content-type", b"application/cloudevents+json")]


def letter_of(event: object) -> Letter:
    return orjson.dumps(event), STRUCTURED


async def put(ingest: Ingest, letters: Sequence[Letter]) -> list[Place]:
    """Partition and offset of each."""
    topic = ingest.settings.topics.inbound
    async with AIOKafkaProducer(bootstrap_servers=ingest.settings.kafka.bootstrap) as producer:
        sent = [
            await producer.send(topic, value, key=an_id().encode(), headers=headers)
            for value, headers in letters
        ]
        return [(place.partition, place.offset) for place in await asyncio.gather(*sent)]


async def work(ingest: Ingest, places: Sequence[Place]) -> None:
    """The inbound worker, until it has taken everything at these places."""
    topic = ingest.settings.topics.inbound
    until: dict[tuple[str, int], int] = {}
    for partition, offset in places:
        until[topic, partition] = max(until.get((topic, partition), 0), offset + 1)
    subscription = inbound_subscription(ingest.house, topic)
    await run_subscription(subscription, ingest.premises.resources, until=until)
