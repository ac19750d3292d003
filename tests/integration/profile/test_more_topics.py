"""A projector of two topics goes on with four: its database stays, and nothing is read twice."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS, ENGAGEMENT, FEEDBACK, INTERACTIONS
from rapport_privacy.migrations import migrate as migrate_keyring
from rapport_profile import consumer
from rapport_profile.domain.state import Profile, unpack
from rapport_runtime.rebuild import rebuild, verify
from rapport_runtime.subscription import run_subscription

from tests.support.events import NOON, days, happened, new_subject
from tests.support.fixtures import MakeDatabase
from tests.support.profile_house import Secrets, prepare_profile
from tests.support.rebuilding import Log, Shop, open_shop

_BEFORE = (INTERACTIONS.name, CUSTOMERS.name)


@pytest.fixture
async def shop(log: Log, new_database: MakeDatabase, secrets: Secrets) -> AsyncIterator[Shop]:
    urls = await new_database(prepare_profile), await new_database(migrate_keyring)
    async with open_shop(log, *urls, secrets) as opened:
        yield opened


async def project_as_before(shop: Shop) -> None:
    """As the version did that knew two topics."""
    subscription = replace(shop.site.projection.subscription, topics=_BEFORE)
    until = {place: end for place, end in shop.log.ends.items() if place[0] in _BEFORE}
    await run_subscription(subscription, shop.resources, until=until)


async def tell_of(shop: Shop, ada: str) -> None:
    answer = happened("survey.responded", ada, NOON + days(2), survey="v", kind="nps", score=9)
    granted = happened(
        "consent.granted", ada, NOON + days(2), fields={"channel": "sms", "purpose": "service"}
    )
    await shop.log.tell([answer], FEEDBACK.name)
    await shop.log.tell([granted], ENGAGEMENT.name)


async def state(shop: Shop, subject: str) -> Profile:
    ((packed,),) = await shop.rows(
        f"SELECT state FROM profile WHERE subject_id = '{subject}'"  # noqa: S608 - ours
    )
    return unpack(packed)


async def test_what_stood_in_the_new_topics_before_is_taken_in(shop: Shop) -> None:
    ada = new_subject()
    history: Sequence[Record] = [
        happened("order.placed", ada, NOON + days(n), order=f"o-{n}") for n in range(5)
    ]
    await shop.log.tell(history)
    await tell_of(shop, ada)
    await project_as_before(shop)
    before = await state(shop, ada)

    await shop.project()
    after = await state(shop, ada)

    assert before.satisfaction == {}
    assert after.satisfaction["nps/relationship"].score == 9
    assert after.consents["sms/service"].granted
    assert after.orders == before.orders
    assert after.events["order.placed.v1"] == 5
    assert (await verify(shop.site, None))["differing"] == 0


async def test_a_rebuild_reads_all_four_and_is_equal(shop: Shop) -> None:
    ada = new_subject()
    await shop.log.tell([happened("order.placed", ada, NOON + days(3), order="o")])
    await tell_of(shop, ada)
    await shop.project()

    report = await rebuild(shop.site)

    assert (report["differing"], report["status"]) == (0, "promoted")
    topics = await shop.rows("SELECT DISTINCT topic FROM projector_offset ORDER BY 1")
    assert {topic for (topic,) in topics} == set(consumer.TOPICS)


def test_a_topic_keeps_its_number_in_the_timeline() -> None:
    numbers = {topic: number for number, topic in enumerate(consumer.TOPICS)}

    assert numbers == {
        INTERACTIONS.name: 0, CUSTOMERS.name: 1, FEEDBACK.name: 2, ENGAGEMENT.name: 3,
    }  # fmt: skip
