"""The profile's own topic, on a real broker: what it says there, and what it hears there."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from rapport_cli.stack.broker import Broker
from rapport_events.codec import decode
from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS, INTERACTIONS
from rapport_profile.domain.identity import link_id
from rapport_profile.main import make_resources, worker_component
from rapport_profile.settings import ProfileSettings
from rapport_runtime.kafka import make_consumer
from rapport_runtime.subscription import Resources
from sqlalchemy import text

from tests.support.desk_house import make_topics
from tests.support.events import NOON, days, happened, new_subject
from tests.support.fixtures import MakeDatabase
from tests.support.ingest_house import PARTITIONS
from tests.support.profile_house import Secrets, prepare_profile, settings_of
from tests.support.publish import publish, publish_bytes
from tests.support.servers import open_test_broker, own_broker_choice

_PATIENCE = 60.0
_LOOK_AGAIN = 0.05

_ROOT = "SELECT merged_into::text FROM profile WHERE subject_id = cast(:subject AS uuid)"
_TOLD = "SELECT type FROM timeline WHERE subject_id = cast(:subject AS uuid)"
_IS_READ = """
SELECT next_offset > :offset FROM projector_offset
WHERE topic = 'rapport.customers.v1' AND partition = :partition
"""


@pytest.fixture(scope="module")
async def broker() -> AsyncIterator[Broker]:
    """Of these tests alone: a worker reads all that was ever told on these topics."""
    async with open_test_broker(own_broker_choice()) as running:
        yield running


@pytest.fixture
async def resources(
    broker: Broker, new_database: MakeDatabase, secrets: Secrets
) -> AsyncIterator[Resources]:
    """A worker at work; what the other test has told on these topics, it reads as well."""
    await make_topics(broker)
    url = await new_database(prepare_profile)
    settings = settings_of(url, url, secrets).model_dump()
    settings["kafka"] |= {
        "bootstrap": broker.bootstrap, "session_timeout_ms": 2_000,
        "idempotence": broker.idempotent,
    }  # fmt: skip
    resources = make_resources(ProfileSettings.model_validate(settings))
    stop = asyncio.Event()
    working = asyncio.ensure_future(worker_component(resources)(stop))
    yield resources
    stop.set()
    await working
    await resources.engine.dispose()


async def rows(resources: Resources, query: str, **values: object) -> list[tuple[Any, ...]]:
    async with resources.engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query), values)]


async def until(
    resources: Resources, expected: Sequence[tuple[Any, ...]], query: str, **values: object
) -> None:
    """Waits until the query has this answer."""
    found: list[tuple[Any, ...]] = []
    try:
        async with asyncio.timeout(_PATIENCE):
            while (found := await rows(resources, query, **values)) != expected:  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_AGAIN)
    except TimeoutError:
        pytest.fail(f"{query} still answers {found}")


async def said(resources: Resources, subject: str, number: int) -> list[ConsumerRecord]:
    """The first records of rapport.customers.v1 about a subject."""
    found: list[ConsumerRecord] = []
    async with make_consumer(resources.settings, None) as consumer:
        places = [TopicPartition(CUSTOMERS.name, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        for place in places:
            consumer.seek(place, 0)
        async with asyncio.timeout(_PATIENCE):
            while len(found) < number:
                record = await consumer.getone()
                if record.key == subject.encode():
                    found.append(record)
    return found


async def tell(resources: Resources, topic: str, *records: Record) -> None:
    await publish(resources.settings.kafka.bootstrap, topic, records)


async def test_merges_are_published_and_our_own_word_is_not_taken_for_news(
    resources: Resources,
) -> None:
    ada, tablet = sorted((new_subject(), new_subject()))
    link = happened("page.viewed", tablet, linked=ada, page="home")
    cut = happened(
        "customer.unmerged",
        ada,
        fields={"merge_event_id": link_id(ada, tablet), "merge_source": "/rapport/profile"},
    )

    await tell(resources, INTERACTIONS.name, link)
    await until(resources, [(ada,)], _ROOT, subject=tablet)
    await tell(resources, INTERACTIONS.name, cut)
    records = await said(resources, ada, 2)

    merged, unmerged = (decode(record.value) for record in records)
    assert (merged.type, merged.id) == ("customer.merged.v1", link_id(ada, tablet))
    assert merged.causationid == link.envelope.id
    assert unmerged.type == "customer.unmerged.v1"
    last = records[-1]
    await until(resources, [(True,)], _IS_READ, partition=last.partition, offset=last.offset)
    mine = "SELECT type FROM timeline WHERE subject_id = cast(:ada AS uuid)"
    assert await rows(resources, mine, ada=ada) == [("customer.unmerged.v1",)]
    assert await rows(resources, "SELECT topic FROM parked_event") == []


async def test_an_erasure_on_the_own_topic_purges_and_keeps_late_events_out(
    resources: Resources,
) -> None:
    ada, ben = new_subject(), new_subject()
    order = happened("order.placed", ada, order="o", amount=5, currency="EUR")
    late = happened("order.placed", ada, NOON + days(1), order="p", amount=5, currency="EUR")
    erased = happened("customer.erased", ada, certificate_id="c-1")

    await tell(resources, INTERACTIONS.name, order)
    await until(resources, [("order.placed.v1",)], _TOLD, subject=ada)
    await tell(resources, CUSTOMERS.name, erased)
    await until(resources, [], _TOLD, subject=ada)
    # On one partition, so that the one behind is read after the late one.
    await publish_bytes(
        resources.settings.kafka.bootstrap,
        INTERACTIONS.name,
        [(None, late.value), (None, happened("page.viewed", ben, page="x").value)],
        partition=0,
    )
    await until(resources, [("page.viewed.v1",)], _TOLD, subject=ben)

    assert await rows(resources, _TOLD, subject=ada) == []
    kept = "SELECT count(*) FROM reference WHERE subject_id = cast(:ada AS uuid)"
    assert await rows(resources, kept, ada=ada) == [(0,)]
