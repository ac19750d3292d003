"""What somebody with a link to their preferences can do, and what becomes of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.support.events import happened
from tests.support.fixtures import MakeDatabase
from tests.support.peoples import merged
from tests.support.personalization_house import Callers, Databases, House, open_house
from tests.support.preferences import (
    Guest,
    agreeing,
    change,
    filled,
    guest,
    heading,
)

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
YES = {"purpose": "marketing", "channel": "email"}
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
async def house(new_database: MakeDatabase, callers: Callers) -> AsyncIterator[House]:
    """One for all: everybody here has a link of their own."""
    policies = {"control": 0, "quiet_from": "21:00", "quiet_until": "08:00"}
    databases = await Databases.make(new_database)
    async with open_house(databases, callers, policies=policies) as opened:
        await opened.install(since=datetime.now(UTC) - 3_650 * DAY)
        yield opened


@pytest.fixture
async def ada(house: House) -> Guest:
    return await agreeing(house)


def yesterday() -> datetime:
    return datetime.now(UTC) - DAY


async def test_the_page_shows_what_holds(ada: Guest) -> None:
    page = await ada.open()

    fields = filled(page)
    assert (page.status_code, heading(page)) == (200, "How we may write to you")
    assert fields["allow.marketing.email"] == fields["allow.service.email"] == "yes"
    assert (fields["quiet_from"], fields["quiet_until"]) == ("21:00", "08:00")
    assert (fields["tz"], fields["language"]) == ("UTC", "en")
    assert "sms" not in page.text


async def test_opening_it_changes_nothing(ada: Guest) -> None:
    for method in ("GET", "HEAD"):
        await ada.house.client.request(method, ada.path)

    assert await ada.told() == []


async def test_saving_what_was_shown_tells_nothing(ada: Guest) -> None:
    page = await ada.choose()

    assert (page.status_code, "Your choices are saved." in page.text) == (200, True)
    assert await ada.told() == []


async def test_a_tick_that_is_taken_away_withdraws_that_consent_and_no_other(ada: Guest) -> None:
    page = await ada.choose(allow__marketing__email="")

    assert "allow.marketing.email" not in filled(page)
    assert await ada.told() == [
        ("consent.withdrawn", {**YES, "proof": "preference-page"}),
    ]


async def test_whoever_saves_twice_has_said_it_once(ada: Guest) -> None:
    fields = filled(await ada.open())
    change(fields, "allow.marketing.email", "")
    change(fields, "tz", "Asia/Tokyo")

    # Connections are made for all of them: else the first is done before the others begin.
    await asyncio.gather(*(ada.open() for _ in range(8)))

    pages = await asyncio.gather(*(ada.send(fields) for _ in range(8)))

    assert {page.status_code for page in pages} == {200}
    assert [type_ for type_, _ in await ada.told()] == ["consent.withdrawn", "preference.changed"]
    await ada.hear()
    await ada.send(fields)
    assert await ada.told() == []


async def test_the_page_shows_a_choice_before_the_log_has_told_it_and_after(ada: Guest) -> None:
    await ada.choose(allow__marketing__email="", quiet_from="20:00", language="de")
    before = filled(await ada.open())
    await ada.hear()
    after = filled(await ada.open())

    assert before == after
    assert "allow.marketing.email" not in after
    assert (after["quiet_from"], after["quiet_until"], after["language"]) == (
        "20:00",
        "08:00",
        "de",
    )


async def test_all_wishes_are_told_together(ada: Guest) -> None:
    await ada.choose(tz="America/New_York", language="de", quiet_from="22:30", quiet_until="07:15")

    wished = {"tz": "America/New_York", "language": "de", "quiet_hours": "22:30-07:15"}
    assert await ada.told() == [("preference.changed", wished)]


async def test_what_changed_elsewhere_meanwhile_is_not_turned_back(ada: Guest) -> None:
    fields = filled(await ada.open())
    gone = happened("consent.withdrawn", ada.subject, datetime.now(UTC), fields=YES)
    await ada.house.tell([gone])

    fields["tz"] = "Europe/Paris"
    page = await ada.send(fields)

    assert await ada.told() == [("preference.changed", {"tz": "Europe/Paris"})]
    assert "allow.marketing.email" not in filled(page)


async def test_everything_can_be_stopped_at_once(house: House) -> None:
    bob = await guest(house, phone=f"+4915{uuid4().int % 10**9:09}")
    given = [
        happened("consent.granted", bob.subject, yesterday(), fields={"purpose": "marketing"}),
    ]
    await house.tell(given)

    page = await bob.send({"do": "stop"})

    assert not any("marketing" in name for name in filled(page) if not name.startswith("was-"))
    withdrawn = {"purpose": "marketing", "proof": "preference-page"}
    assert await bob.told() == [("consent.withdrawn", withdrawn)]
    await bob.send({"do": "stop"})
    assert len(await bob.told()) == 1


@pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
async def test_one_click_in_a_mail_program_unsubscribes(ada: Guest, kind: str) -> None:
    if kind == "urlencoded":
        done = await ada.send(ONE_CLICK)
    else:
        done = await ada.house.client.post(
            ada.path, files={"List-Unsubscribe": (None, "One-Click")}
        )

    assert (done.status_code, heading(done)) == (200, "You are unsubscribed")
    told = [("consent.withdrawn", {**YES, "proof": "list-unsubscribe"})]
    assert await ada.told() == told
    await ada.send(ONE_CLICK)
    await ada.hear()
    await ada.send(ONE_CLICK)
    assert await ada.told() == []


async def test_who_never_said_yes_can_still_say_no_by_one_click(house: House) -> None:
    bob = await guest(house)

    await bob.send(ONE_CLICK)

    assert [type_ for type_, _ in await bob.told()] == ["consent.withdrawn"]


async def test_after_a_withdrawal_on_the_page_there_is_no_marketing(ada: Guest) -> None:
    house, cart = ada.house, {"cart": "c-1", "value": 900, "currency": "EUR"}
    await house.tell([happened("cart.updated", ada.subject, datetime.now(UTC), fields=cart)])
    await ada.choose(allow__marketing__email="")
    await ada.hear()

    await house.decide(datetime.now(UTC) + DAY)

    assert await about_the_cart(ada) == "no_consent"


async def about_the_cart(ada: Guest) -> str:
    decisions = await ada.house.decisions(ada.subject)
    (found,) = [one["outcome"] for one in decisions if one["trigger"] == "abandoned_cart"]
    return str(found)


async def test_without_a_withdrawal_the_same_cart_is_spoken_of(ada: Guest) -> None:
    house, cart = ada.house, {"cart": "c-1", "value": 900, "currency": "EUR"}
    await house.tell([happened("cart.updated", ada.subject, datetime.now(UTC), fields=cart)])
    await ada.choose()

    await house.decide(datetime.now(UTC) + DAY)

    assert await about_the_cart(ada) in {"sent", "holdout"}


async def test_quiet_hours_of_the_page_move_what_is_sent(ada: Guest) -> None:
    await ada.choose(quiet_from="00:00", quiet_until="23:59", tz="Asia/Tokyo")
    await ada.hear()
    order = {"order": "o-1", "amount": 900, "currency": "EUR"}
    await ada.house.tell([happened("order.placed", ada.subject, datetime.now(UTC), fields=order)])

    waiting = [one for one in await ada.house.waiting() if str(one["person"]) == ada.subject]

    (thanks,) = [one for one in waiting if one["trigger"] == "thanks"]
    assert (thanks["send_at"].hour, thanks["send_at"].minute) == (14, 59)


async def test_the_link_of_a_merged_person_leads_to_all_of_them(ada: Guest) -> None:
    bob = await guest(ada.house)
    await ada.house.tell([merged(ada.subject, bob.subject)])

    await bob.choose(allow__marketing__email="")

    assert "allow.marketing.email" not in filled(await ada.open())


async def test_an_agent_can_ask_for_a_link(ada: Guest, callers: Callers) -> None:
    house = ada.house
    for key, ref, status in (
        ("helper", ada.subject, 201),
        ("helper", str(uuid4()), 404),
        ("helper", "who", 422),
        ("helper", "user_id:nobody", 404),
        ("analyst", ada.subject, 403),
    ):
        headers = {"authorization": f"Bearer {callers.keys[key]}"}
        url = f"/v1/customers/{ref}/preference-links"
        made = await house.client.post(url, headers=headers)
        assert made.status_code == status, (key, ref, made.text)
        if ref == ada.subject and status == 201:
            link = made.json()["link"]
            assert link.startswith("http://127.0.0.1:8003/p/")
            assert (await house.client.get(link.removeprefix("http://127.0.0.1:8003"))).is_success


async def test_what_is_kept_for_the_page_is_forgotten_once_it_is_told(ada: Guest) -> None:
    await ada.choose(allow__marketing__email="")
    await ada.hear()
    await ada.choose(tz="Asia/Tokyo")

    rows = await ada.house.rows(
        "SELECT name FROM preference WHERE subject_id = CAST(:id AS uuid)", id=ada.subject
    )

    assert [row["name"] for row in rows] == ["tz"]
