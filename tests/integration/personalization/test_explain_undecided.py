"""What was not decided is not told as if it had been."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.integration.personalization.test_explain import explained
from tests.integration.personalization.test_live_edits import live, placed
from tests.integration.personalization.test_triggers_api import THANKS, Office
from tests.support.events import NOON, happened
from tests.support.personalization_house import Callers, House
from tests.support.waiting import DAY, HOUR, cart, willing

ACTED = "all gates were passed, so it acted"
WOULD = "all gates would have been passed"


@pytest.fixture
def office(house: House, callers: Callers) -> Office:
    return Office(house, callers)


async def step_at(office: Office, name: str, at: datetime) -> None:
    """As if the step had been made then."""
    assert (await office.step(1, name)).status_code == 200
    back = "UPDATE trigger_step SET at = :at WHERE id = (SELECT max(id) FROM trigger_step)"
    await office.house.execute(back, at=at)
    changed = """UPDATE trigger_version SET changed_at = :at,
        since = CASE WHEN state = 'paused' THEN since ELSE :at END WHERE trigger = 'hello'"""
    await office.house.execute(changed, at=at)


async def hello(office: Office, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 - of a question
    """Somebody orders, and it is asked why they were greeted, or were not."""
    ada, consent = await willing(office.house)
    await office.house.tell([consent, placed(ada, "o-1", 0)])
    await office.house.decide(NOON + 2 * HOUR)
    asked = {"at": (NOON + 2 * HOUR).isoformat(), **asked}
    status, said = await explained(
        office.house, office.callers, customer=ada, trigger="hello", **asked
    )
    assert status == 200
    return said


async def test_what_was_sent_is_told_as_sent(office: Office) -> None:
    await live(office, THANKS, 1)

    said = await hello(office)

    assert (said["decided"], said["shadow"]) == ("sent", False)
    assert ACTED in said["sentence"]


async def test_a_draft_has_done_nothing(office: Office) -> None:
    await office.put(THANKS)

    said = await hello(office)

    assert (said["verdict"], said["decision"], said["shadow"]) == ("sent", None, None)
    assert f"version 1 was a draft then, and nothing was decided: {WOULD}" in said["sentence"]


async def test_a_trigger_that_was_paused_has_done_nothing(office: Office) -> None:
    await office.put(THANKS)
    await step_at(office, "go-live", NOON - DAY)
    await step_at(office, "pause", NOON - HOUR)

    said = await hello(office)

    assert (said["verdict"], said["decided"]) == ("sent", None)
    assert f"version 1 was paused then, and nothing was decided: {WOULD}" in said["sentence"]


async def test_a_trigger_that_pauses_while_somebody_waits_has_done_nothing(office: Office) -> None:
    await office.put(THANKS)
    await step_at(office, "go-live", NOON - DAY)
    await step_at(office, "pause", NOON + HOUR / 2)

    said = await hello(office)

    assert "version 1 was paused then" in said["sentence"]


async def test_a_trigger_goes_live_for_what_happens_from_then_on(office: Office) -> None:
    await office.put(THANKS)
    await step_at(office, "go-live", NOON + HOUR)

    said = await hello(office)

    assert (said["verdict"], said["decided"]) == ("sent", None)
    assert "version 1 was not live yet then, and nothing was decided" in said["sentence"]


async def test_a_shadow_would_have_acted(office: Office) -> None:
    await office.put(THANKS)
    await step_at(office, "shadow", NOON - DAY)

    said = await hello(office)

    assert (said["decided"], said["agrees"], said["shadow"]) == ("sent", True, True)
    assert "it would have acted, but was in shadow" in said["sentence"]


async def test_a_version_that_did_not_act_says_which_did(office: Office) -> None:
    await live(office, THANKS, 1)
    await office.put(THANKS.replace("1h", "30m"))

    said = await hello(office, version=2)

    assert (said["verdict"], said["decided"]) == ("sent", None)
    assert f"version 1 decided on it, not version 2: {WOULD}" in said["sentence"]


async def test_what_was_due_and_is_not_decided_yet_is_not_told_as_done(office: Office) -> None:
    await office.put(THANKS)
    await step_at(office, "go-live", NOON - DAY)
    ada, consent = await willing(office.house)
    await office.house.tell([consent, placed(ada, "o-1", 0)])

    asked = {"customer": ada, "trigger": "hello", "at": (NOON + 2 * HOUR).isoformat()}
    _, said = await explained(office.house, office.callers, **asked)

    assert f"nothing was decided on it: {WOULD}" in said["sentence"]


@pytest.mark.parametrize("decides", [False, True])
async def test_who_sleeps_longer_than_they_said_before_still_waits(
    house: House, callers: Callers, *, decides: bool
) -> None:
    ada, consent = await willing(house)
    quiet = happened("preference.changed", ada, NOON + HOUR, quiet_hours="15:00-18:00")
    await house.tell([consent, cart(ada, timedelta(0)), quiet])
    await house.decide(NOON + (DAY if decides else 5 * HOUR))

    asked: dict[str, object] = {"customer": ada, "trigger": "abandoned_cart"}
    asked["at"] = (NOON + 5 * HOUR).isoformat()
    _, said = await explained(house, callers, **asked)

    send_at = datetime.fromisoformat(said["candidate"]["send_at"])
    assert (said["verdict"], said["decided"]) == ("waiting", None)
    assert send_at == NOON + 6 * HOUR
