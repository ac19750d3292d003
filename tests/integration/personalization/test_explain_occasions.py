"""Which occasion is explained: of several the one that was asked for, and as it was known then."""

from tests.integration.personalization.test_explain import explained
from tests.support.events import NOON, happened
from tests.support.personalization_house import Callers, House
from tests.support.waiting import DAY, HOUR, willing


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
