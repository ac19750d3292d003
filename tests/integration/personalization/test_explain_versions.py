"""What a version would have decided, and that it did not: none of it is told as a fact."""

import pytest

from tests.integration.personalization.test_explain import explained
from tests.integration.personalization.test_live_edits import live, placed
from tests.integration.personalization.test_triggers_api import THANKS, Office
from tests.support.events import NOON
from tests.support.personalization_house import Callers, House
from tests.support.waiting import DAY, willing

RARELY = THANKS + "cooldown: 30d\n"


@pytest.fixture
def office(house: House, callers: Callers) -> Office:
    return Office(house, callers)


async def ordered(house: House) -> dict[str, object]:
    """Somebody has ordered, and it was decided; what to ask about it."""
    ada, consent = await willing(house)
    await house.tell([consent, placed(ada, "o-1", 0)])
    await house.decide(NOON + DAY)
    return {"customer": ada, "trigger": "hello", "at": (NOON + DAY).isoformat()}


@pytest.mark.parametrize("delay", ["30m", "61m", "3h"])
async def test_another_version_is_not_stopped_by_what_the_first_decided_on_the_same_order(
    office: Office, callers: Callers, delay: str
) -> None:
    await live(office, RARELY, 1)
    asked = await ordered(office.house)
    await office.put(RARELY.replace("1h", delay))

    _, first = await explained(office.house, callers, **asked)
    _, second = await explained(office.house, callers, **asked, version=2)

    assert (first["decided"], first["verdict"]) == ("sent", "sent")
    assert (second["decided"], second["verdict"], second["gate"]) == (None, "sent", None)


async def test_another_version_is_stopped_by_what_was_decided_on_an_order_before(
    office: Office, callers: Callers
) -> None:
    await live(office, RARELY, 1)
    asked = await ordered(office.house)
    await office.put(RARELY.replace("1h", "3h"))
    await office.house.tell([placed(str(asked["customer"]), "o-2", 4)])

    _, said = await explained(office.house, callers, **asked, version=2)

    assert (said["candidate"]["about"], said["verdict"]) == ("o-2", "cooldown")


async def test_what_would_have_been_decided_after_it_does_not_stop_it(
    office: Office, callers: Callers
) -> None:
    draft = RARELY.replace("service", "marketing") + "holdout: {trigger: 0}\n"
    later = draft.replace("hello", "later").replace("rank: 5", "rank: 50")
    await office.put(draft)
    await office.put(later, id_="later")
    await office.ask("POST", "/v1/triggers/later/versions/1:go-live")
    await office.house.execute("UPDATE trigger_version SET since = :since", since=NOON - DAY)
    asked = await ordered(office.house)

    _, said = await explained(office.house, callers, **asked)

    decided = {row["trigger"]: row["outcome"] for row in await office.house.decisions()}
    assert decided["later"] == "sent"
    assert (said["verdict"], said["decided"]) == ("sent", None)
