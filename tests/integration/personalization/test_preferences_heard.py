"""What somebody says on their preference page is heard by every service that acts on it."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from rapport_events.envelope import Record
from rapport_events.topics import ENGAGEMENT
from rapport_privacy.migrations import migrate as migrate_keyring

from tests.support import feedback_house, profile_house
from tests.support.asked import DUE, outcomes
from tests.support.events import NOON, happened
from tests.support.fixtures import MakeDatabase
from tests.support.peoples import erased
from tests.support.personalization_house import House
from tests.support.preferences import Guest, guest, on_their_way
from tests.support.surveys import LIVE, after_case, resolved_ticket


@pytest.fixture
async def ada(house: House) -> Guest:
    return await guest(house)


@pytest.fixture
async def feedback(
    new_database: MakeDatabase, tmp_path: Path
) -> AsyncIterator[feedback_house.House]:
    secrets = feedback_house.Secrets.make(tmp_path)
    urls = (
        await new_database(feedback_house.prepare_feedback),
        await new_database(migrate_keyring),
    )
    async with feedback_house.open_house(
        feedback_house.settings_of(urls, secrets), secrets
    ) as house:
        yield house


@pytest.fixture
async def profile(new_database: MakeDatabase, tmp_path: Path) -> AsyncIterator[profile_house.House]:
    secrets = profile_house.Secrets.make(tmp_path)
    urls = await new_database(profile_house.prepare_profile), await new_database(migrate_keyring)
    async with profile_house.open_house(*urls, secrets) as house:
        yield house


async def published(ada: Guest) -> list[Record]:
    records = await on_their_way(ada.house)
    return [msgspec.structs.replace(one, topic=ENGAGEMENT.name) for one in records]


async def test_the_profile_shows_it_with_where_it_was_said(
    ada: Guest, profile: profile_house.House
) -> None:
    await ada.choose(allow__marketing__email="yes", language="de", quiet_from="20:00")

    await profile.tell(happened("page.viewed", ada.subject, NOON), *await published(ada))

    shown = await profile.read(f"/v1/profiles/{ada.subject}")
    (consent,) = shown["consents"]
    assert (consent["channel"], consent["purpose"]) == ("email", "marketing")
    assert (consent["granted"], consent["proof"]) == (True, "preference-page")
    preferences = {name: one["value"] for name, one in shown["preferences"].items()}
    assert preferences == {"language": "de", "quiet_hours": "20:00-00:00"}


@pytest.mark.parametrize(("tick", "outcome"), [("", "no_consent"), ("yes", "sent")])
async def test_who_wants_no_messages_about_their_cases_is_not_asked_either(
    ada: Guest, feedback: feedback_house.House, tick: str, outcome: str
) -> None:
    await feedback.live(LIVE, **after_case())
    bob = await feedback.subject(email="bob@example.com")
    page = Guest(ada.house, bob, ada.path)
    await page.choose(allow__service__email=tick)
    said = [
        msgspec.structs.replace(one, envelope=msgspec.structs.replace(one.envelope, subject=bob))
        for one in await published(ada)
    ]

    await feedback.tell(*said, resolved_ticket(bob, identifiedby="email", linked=None))
    await feedback.ask(DUE)

    assert outcomes(await feedback.facts()) == {bob: [outcome]}


@pytest.mark.parametrize(
    ("until", "resumed", "outcome"),
    [(None, False, "no_consent"), (DUE - timedelta(hours=1), False, "sent"), (None, True, "sent")],
)
async def test_whom_we_do_not_write_to_is_not_asked_either(
    feedback: feedback_house.House, until: datetime | None, outcome: str, *, resumed: bool
) -> None:
    await feedback.live(LIVE, **after_case())
    bob = await feedback.subject(email="bob@example.com")
    fields = {"scope": "marketing"} | ({} if until is None else {"until": until})
    said = [happened("contact.suppressed", bob, NOON - timedelta(days=2), fields=fields)]
    if resumed:
        said.append(happened("contact.resumed", bob, NOON - timedelta(days=1)))

    await feedback.tell(*said, resolved_ticket(bob, identifiedby="email", linked=None))
    await feedback.ask(DUE)

    assert outcomes(await feedback.facts()) == {bob: [outcome]}


async def test_what_an_erased_person_chose_is_gone(ada: Guest) -> None:
    await ada.choose(language="de")
    assert await ada.house.rows("SELECT * FROM preference")

    await ada.house.tell([erased(ada.subject, NOON + timedelta(days=1))])

    assert await ada.house.rows("SELECT * FROM preference") == []
    assert (await ada.open()).status_code == 410
