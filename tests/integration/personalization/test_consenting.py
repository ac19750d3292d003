"""A message that waits to be sent is asked about again: people change their minds."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from rapport_events import wire
from rapport_events.codec import decode_data
from rapport_events.topics import ENGAGEMENT
from rapport_personalization import store
from rapport_personalization.consenting import refused
from rapport_runtime.sender import Requested

from tests.support.events import happened
from tests.support.peoples import merged
from tests.support.personalization_house import House
from tests.support.privacy import an_email

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def waits(subject: str, purpose: str, channel: str = "email") -> Requested:
    fields = {"action": f"a-{purpose}-{channel}", "channel": channel, "purpose": purpose}
    record = happened("action.requested", subject, NOW, fields=fields)
    data = decode_data(msgspec.structs.replace(record, topic=ENGAGEMENT.name).envelope)
    assert isinstance(data, wire.ActionRequested)
    return Requested(
        action=data.action,
        event_key=record.key,
        envelope=record.envelope,
        data=data,
        attempt=1,
        asked_at=NOW,
    )


@pytest.fixture
async def ada(house: House) -> str:
    """Known by her address, and glad to hear of offers since yesterday."""
    ada = await house.person(email=an_email())
    yes = happened("consent.granted", ada, NOW - DAY, purpose="marketing", identifiedby="email")
    await house.tell([yes])
    return ada


async def test_who_has_said_nothing_since_gets_both(house: House, ada: str) -> None:
    found = await refused(house.engine, [waits(ada, "marketing"), waits(ada, "service")])

    assert found == set()


async def test_who_unsubscribes_gets_no_offer_but_hears_of_the_parcel(
    house: House, ada: str
) -> None:
    no = happened("consent.withdrawn", ada, NOW, purpose="marketing", identifiedby="email")
    await house.tell([no])

    found = await refused(house.engine, [waits(ada, "marketing"), waits(ada, "service")])

    assert found == {"a-marketing-email"}


async def test_a_no_to_one_channel_is_no_no_to_another(house: House, ada: str) -> None:
    no = happened(
        "consent.withdrawn", ada, NOW, identifiedby="email",
        fields={"purpose": "marketing", "channel": "sms"},
    )  # fmt: skip
    await house.tell([no])

    asked = [waits(ada, "marketing"), waits(ada, "marketing", "sms")]
    found = await refused(house.engine, asked)

    assert found == {"a-marketing-sms"}


async def test_a_no_under_another_id_of_theirs_counts_even_if_nothing_is_cached(
    house: House, ada: str
) -> None:
    other = await house.person(email=an_email())
    no = happened("consent.withdrawn", other, NOW, purpose="marketing", identifiedby="email")
    await house.tell([no, merged(ada, other)])
    async with house.engine.begin() as tx:
        await store.forget_states(tx, [ada, other])

    found = await refused(house.engine, [waits(ada, "marketing"), waits(ada, "service")])

    assert found == {"a-marketing-email"}
