"""A version pauses while its successor is tried in shadow: neither gets in the other's way."""

from datetime import UTC, datetime, timedelta

import pytest
from rapport_personalization.deciding import decide_all_due

from tests.integration.personalization.test_live_edits import decided, live, placed
from tests.integration.personalization.test_triggers_api import THANKS, Office
from tests.support.events import NOON
from tests.support.personalization_house import Callers, House
from tests.support.waiting import HOUR, cart, of_trigger, willing

LATER = THANKS.replace("1h", "3h")
CARTS = """id: hello
rank: 5
kind: service
on: {event: cart.updated, key: cart}
delay: 4h
reset: true
channels: [email]
template: thanks
"""


@pytest.fixture
def office(house: House, callers: Callers) -> Office:
    return Office(house, callers)


async def shadow_beside(office: Office, text: str, version: int) -> None:
    """The version before it pauses, and this one has been in shadow for long."""
    await office.step(version - 1, "pause")
    await office.put(text)
    assert (await office.step(version, "shadow")).status_code == 200
    await office.house.execute(
        "UPDATE trigger_version SET since = :since WHERE trigger = 'hello'", since=NOON - 24 * HOUR
    )


async def waiting(house: House) -> list[tuple[str, str, bool]]:
    found = of_trigger(await house.waiting(), "hello")
    return [(one["thing"], one["version"], one["shadow"]) for one in found]


async def test_a_shadow_decides_while_the_version_before_it_pauses(office: Office) -> None:
    house = office.house
    ada, consent = await willing(house)
    await live(office, THANKS, 1)
    await house.tell([consent, placed(ada, "o-1", 0)])
    await shadow_beside(office, LATER, 2)
    await house.tell([placed(ada, "o-2", 0)])

    await house.decide(NOON + 4 * HOUR)
    in_pause = of_trigger(await house.decisions(), "hello")
    left = await waiting(house)
    await office.step(1, "go-live")
    await house.decide(NOON + 4 * HOUR)

    assert [(one["thing"], one["version"], one["shadow"]) for one in in_pause] == [
        ("o-2", "2", True)
    ]
    assert left == [("o-1", "1", False)]
    assert await decided(house) == [("o-1", "1", "sent"), ("o-2", "2", "sent")]


async def test_the_next_to_be_decided_on_is_the_shadows_not_who_waits_for_the_pause_to_end(
    office: Office,
) -> None:
    house = office.house
    ada, consent = await willing(house)
    now = (datetime.now(UTC) - NOON) // HOUR
    await live(office, THANKS.replace("1h", "5h"), 1)
    await house.tell([consent, placed(ada, "o-1", now)])
    await office.step(1, "pause")
    await house.execute("DELETE FROM candidate WHERE trigger <> 'hello'")
    alone = await decide_all_due(house.decider())
    await shadow_beside(office, THANKS.replace("1h", "9h"), 2)
    await house.tell([placed(ada, "o-2", now)])
    await house.execute("DELETE FROM candidate WHERE trigger <> 'hello'")

    after = await decide_all_due(house.decider())

    assert alone is None
    assert after is not None
    assert timedelta(hours=7) < timedelta(seconds=after) <= timedelta(hours=9)


async def test_whose_version_was_replaced_waits_with_the_one_that_pauses(office: Office) -> None:
    house = office.house
    ada, consent = await willing(house)
    await live(office, THANKS, 1)
    await house.tell([consent, placed(ada, "o-1", 0)])
    await live(office, LATER, 2)
    await shadow_beside(office, THANKS.replace("1h", "5h"), 3)

    await house.decide(NOON + 9 * HOUR)
    in_pause = await decided(house)
    await office.step(2, "go-live")
    await house.decide(NOON + 9 * HOUR)

    assert in_pause == []
    assert await decided(house) == [("o-1", "1", "sent")]


async def test_events_before_a_shadow_are_not_its_own_however_long_the_other_was_live(
    office: Office,
) -> None:
    house = office.house
    ada, consent = await willing(house)
    await office.put(THANKS)
    await office.step(1, "go-live")
    await office.step(1, "pause")
    await office.put(LATER)
    await office.step(2, "shadow")
    await house.execute(
        "UPDATE trigger_version SET since = :since WHERE trigger = 'hello' AND version = 1",
        since=NOON - 24 * HOUR,
    )

    await house.tell([consent, placed(ada, "o-1", 0)])

    assert await waiting(house) == []


async def test_a_shadow_takes_nobody_from_the_version_that_pauses(office: Office) -> None:
    house = office.house
    ada, consent = await willing(house)
    await live(office, CARTS, 1)
    await house.tell([consent, cart(ada, 0 * HOUR)])
    await shadow_beside(office, CARTS.replace("4h", "5h"), 2)

    await house.tell([cart(ada, HOUR)])

    assert await waiting(house) == [("c-1", "1", False)]


async def test_who_waits_for_a_shadow_is_left_to_the_version_that_acts_again(
    office: Office,
) -> None:
    house = office.house
    ada, consent = await willing(house)
    await live(office, CARTS, 1)
    await shadow_beside(office, CARTS.replace("4h", "5h"), 2)
    await house.tell([consent, cart(ada, 0 * HOUR), cart(ada, 0 * HOUR, "c-2")])
    await office.step(1, "go-live")

    await house.tell([cart(ada, HOUR)])
    await house.decide(NOON + 9 * HOUR)

    found = of_trigger(await house.decisions(), "hello")
    assert [(one["thing"], one["version"], one["shadow"]) for one in found] == [("c-1", "1", False)]


async def test_days_that_a_shadow_has_looked_up_are_those_of_the_version_that_acts_again(
    office: Office,
) -> None:
    house = office.house
    text = THANKS.replace("{event: order.placed, key: order}", "{calendar: {kind: anniversary}}")
    text = text.replace("delay: 1h\n", "")
    ada, consent = await willing(house)
    await live(office, text, 1)
    await shadow_beside(office, f"{text}# Again.\n", 2)
    await house.tell([consent, placed(ada, "o-1", -364 * 24)])
    await house.look_ahead(NOON)
    in_shadow = await waiting(house)

    await office.step(1, "go-live")
    await house.look_ahead(NOON + timedelta(minutes=5))

    assert [one[1:] for one in in_shadow] == [("2", True)]
    assert [one[1:] for one in await waiting(house)] == [("1", False)]
