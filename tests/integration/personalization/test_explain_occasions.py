"""Which occasion is explained: of several the one that was asked for, and as it was known then."""

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from rapport_events.envelope import Record

from tests.integration.personalization.test_explain import explained
from tests.integration.personalization.test_timers_of_people import born
from tests.support.events import NOON, happened, record_of
from tests.support.personalization_house import Callers, House
from tests.support.waiting import DAY, HOUR, cart, willing


async def test_an_order_names_the_occasions_that_are_about_it(
    house: House, callers: Callers
) -> None:
    ada, consent = await willing(house)
    late = [
        happened(
            "shipment.delayed", ada, NOON + n * DAY, order=order, eta_after=NOON + (n + 3) * DAY
        )
        for n, order in enumerate(("o-77", "o-77", "o-78"))
    ]
    await house.tell([consent, *late])
    await house.decide(NOON + 9 * DAY)

    asked: dict[str, object] = {"customer": ada, "trigger": "shipment_delayed"}
    asked["at"] = (NOON + 9 * DAY).isoformat()
    _, newest = await explained(house, callers, **asked, anchor="o-77")
    anchor = f"o-77:{NOON + 3 * DAY}"
    _, exact = await explained(house, callers, **asked, anchor=anchor)

    assert newest["candidate"]["anchor"] == f"o-77:{NOON + 4 * DAY}"
    assert (newest["candidate"]["about"], newest["agrees"]) == ("o-77", True)
    assert (exact["candidate"]["anchor"], exact["agrees"]) == (anchor, True)


async def test_an_order_names_what_might_have_started_something_about_it(
    house: House, callers: Callers
) -> None:
    ada, consent = await willing(house)
    late = happened(
        "shipment.delayed", ada, NOON, order="o-77", eta_after=NOON + DAY, historical=True
    )
    await house.tell([consent, late])

    at = (NOON + HOUR).isoformat()
    _, said = await explained(
        house, callers, customer=ada, trigger="shipment_delayed", anchor="o-77", at=at
    )

    assert (said["verdict"], said["gate"]) == ("no_candidate", "historical")


def heard(record: Record, at: datetime) -> Record:
    """As history that we were told at that time."""
    value = orjson.loads(record.value) | {"historical": True, "recordedtime": at}
    return record_of(orjson.dumps(value))


async def birthday(house: House, callers: Callers, ada: str, at: datetime) -> dict[str, Any]:
    """Why they got a present, or none."""
    asked = {"customer": ada, "trigger": "birthday", "at": at.isoformat()}
    return (await explained(house, callers, **asked))[1]


@pytest.mark.parametrize("historical", [False, True])
async def test_a_birthday_that_was_over_when_it_was_told_is_no_occasion(
    house: House, callers: Callers, *, historical: bool
) -> None:
    ada, consent = await willing(house)
    told = await born(house, ada, "1990-01-05", NOON - (90 * DAY if historical else timedelta(0)))
    if historical:
        told = heard(told, NOON)
    await house.tell([told, consent])

    said = await birthday(house, callers, ada, NOON + DAY)

    assert (said["verdict"], said["gate"], said["candidate"]) == ("no_candidate", None, None)
    known = "no such day has come since it was known and the trigger was in force"
    assert said["sentence"] == known


async def test_birthdays_before_a_trigger_was_in_force_are_no_occasions(
    house: House, callers: Callers
) -> None:
    ada, consent = await willing(house)
    await house.tell([consent, await born(house, ada, "1990-03-02", NOON - DAY)])
    await house.execute("UPDATE trigger_version SET since = :since", since=NOON + 3 * DAY)

    said = await birthday(house, callers, ada, NOON + 3 * DAY)

    assert (said["verdict"], said["candidate"]) == ("no_candidate", None)


async def test_a_birthday_that_was_decided_on_stays_an_occasion(
    house: House, callers: Callers
) -> None:
    ada, consent = await willing(house)
    await house.tell([consent, await born(house, ada, "1990-03-02", NOON - DAY)])
    await house.look_ahead(NOON)
    await house.decide(NOON + DAY)
    await house.execute("UPDATE trigger_version SET since = :since", since=NOON + 3 * DAY)

    said = await birthday(house, callers, ada, NOON + 3 * DAY)

    assert (said["decided"], said["agrees"]) == ("sent", True)


async def test_anniversaries_of_a_first_order_that_was_told_later_are_no_occasions(
    house: House, callers: Callers
) -> None:
    ada, consent = await willing(house)
    at = NOON - 375 * DAY
    first = happened(
        "order.placed", ada, at, told=NOON, historical=True, order="o-1", amount=9, currency="EUR"
    )
    await house.tell([consent, first])

    asked = {"customer": ada, "trigger": "anniversary", "at": (NOON + DAY).isoformat()}
    _, said = await explained(house, callers, **asked)

    assert (said["verdict"], said["gate"], said["candidate"]) == ("no_candidate", None, None)


async def test_a_cart_that_is_used_again_says_of_when_the_decision_is(
    house: House, callers: Callers
) -> None:
    ada, consent = await willing(house)
    await house.tell([consent, cart(ada, 0 * HOUR)])
    await house.decide(NOON + DAY)
    await house.tell([cart(ada, 90 * DAY)])
    await house.decide(NOON + 91 * DAY)

    asked = {"customer": ada, "trigger": "abandoned_cart", "at": (NOON + 91 * DAY).isoformat()}
    _, said = await explained(house, callers, **asked)

    assert said["agrees"]
    assert said["sentence"] == "all gates were passed, so it acted (occasion of 2026-03-01)"
