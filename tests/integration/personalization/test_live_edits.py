"""A trigger is edited while people wait for what it decides: nobody is forgotten or asked twice."""

import pytest
from rapport_events.envelope import Record

from tests.integration.personalization.test_triggers_api import THANKS, Office
from tests.support.events import NOON, happened
from tests.support.personalization_house import Callers, House
from tests.support.waiting import HOUR, of_trigger, willing


@pytest.fixture
def office(house: House, callers: Callers) -> Office:
    return Office(house, callers)


async def decided(house: House) -> list[tuple[str, str, str]]:
    """Of the trigger: about which order, by which version, and what."""
    rows = [one for one in await house.decisions() if one["trigger"] == "hello"]
    return [(one["thing"], one["version"], one["outcome"]) for one in rows]


def placed(subject: str, order: str, hour: int) -> Record:
    return happened(
        "order.placed", subject, NOON + hour * HOUR, order=order, amount=900, currency="EUR"
    )


async def live(office: Office, text: str, version: int) -> None:
    await office.put(text)
    assert (await office.step(version, "go-live")).json()["state"] == "live"
    await office.house.execute(
        "UPDATE trigger_version SET since = :since WHERE trigger = 'hello'", since=NOON - 24 * HOUR
    )


async def test_who_waits_is_decided_on_by_the_version_that_they_began_with(office: Office) -> None:
    house = office.house
    ada, consent = await willing(house)
    await live(office, THANKS, 1)
    await house.tell([consent, placed(ada, "o-1", 0)])

    await live(office, THANKS.replace("1h", "3h"), 2)
    await house.tell([placed(ada, "o-2", 1)])
    await house.decide(NOON + HOUR)
    after_one = await decided(house)
    await house.decide(NOON + 4 * HOUR)

    assert after_one == [("o-1", "1", "sent")]
    assert await decided(house) == [("o-1", "1", "sent"), ("o-2", "2", "sent")]


async def test_who_was_decided_on_by_an_older_version_is_not_asked_by_the_new_one(
    office: Office,
) -> None:
    house = office.house
    ada, consent = await willing(house)
    first = placed(ada, "o-1", 0)
    await live(office, THANKS, 1)
    await house.tell([consent, first])
    await house.decide(NOON + HOUR)

    await live(office, THANKS.replace("1h", "3h"), 2)
    await house.tell([first, placed(ada, "o-1", 2)])
    await house.decide(NOON + 9 * HOUR)

    assert await decided(house) == [("o-1", "1", "sent")]


async def test_who_waits_while_a_trigger_pauses_is_decided_on_when_it_goes_on(
    office: Office,
) -> None:
    house = office.house
    ada, consent = await willing(house)
    await live(office, THANKS, 1)
    await house.tell([consent, placed(ada, "o-1", 0)])

    await office.step(1, "pause")
    await house.decide(NOON + 2 * HOUR)
    paused = await decided(house)
    await office.step(1, "go-live")
    await house.decide(NOON + 2 * HOUR)

    assert paused == []
    assert await decided(house) == [("o-1", "1", "sent")]


async def test_nobody_waits_for_what_retires_without_a_successor(office: Office) -> None:
    house = office.house
    ada, consent = await willing(house)
    await live(office, THANKS, 1)
    await house.tell([consent, placed(ada, "o-1", 0)])

    await office.step(1, "retire")
    await house.decide(NOON + 9 * HOUR)

    assert await decided(house) == []
    assert [one for one in await house.waiting() if one["trigger"] == "hello"] == []


async def test_with_the_last_version_nobody_waits_under_an_older_one_either(
    office: Office,
) -> None:
    house = office.house
    ada, consent = await willing(house)
    await live(office, THANKS, 1)
    await house.tell([consent, placed(ada, "o-1", 0)])
    await live(office, THANKS.replace("1h", "3h"), 2)

    await office.step(2, "retire")
    await house.decide(NOON + 9 * HOUR)

    assert await decided(house) == []
    assert not of_trigger(await house.waiting(), "hello")


async def test_who_waits_under_a_version_that_was_replaced_can_be_stopped_alone(
    office: Office,
) -> None:
    house = office.house
    ada, consent = await willing(house)
    await live(office, THANKS, 1)
    await house.tell([consent, placed(ada, "o-1", 0)])
    await live(office, THANKS.replace("1h", "3h"), 2)
    await house.tell([placed(ada, "o-2", 0)])

    assert (await office.step(1, "retire")).json()["state"] == "retired"
    await house.decide(NOON + 9 * HOUR)

    assert await decided(house) == [("o-2", "2", "sent")]
