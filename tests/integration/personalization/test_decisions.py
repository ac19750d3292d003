"""From events to decisions, in a real database."""

from datetime import timedelta

from tests.support.events import NOON, happened, new_subject
from tests.support.personalization_house import House
from tests.support.privacy import an_email

HOUR = timedelta(hours=1)
KINDS = "user_id"


async def test_a_placed_order_is_thanked_for_an_hour_later(house: House) -> None:
    ada = await house.person(email=an_email())
    order = happened(
        "order.placed", ada, order="o-1", amount=4_000, currency="EUR", identifiedby="email"
    )

    await house.tell([order])
    await house.decide(NOON + HOUR - timedelta(seconds=1))
    early = await house.decisions()
    await house.decide(NOON + HOUR)

    thanks = [one for one in await house.decisions() if one["trigger"] == "thanks"]
    told = await house.told()
    assert early == []
    assert [(one["outcome"], one["anchor"], one["channel"]) for one in thanks] == [
        ("sent", "o-1", "email")
    ]
    assert [envelope.type for envelope, _ in told] == ["decision.made.v1", "action.requested.v1"]


async def test_somebody_nobody_knows_gets_no_message(house: House) -> None:
    stranger = new_subject()

    await house.tell([happened("order.placed", stranger, order="o-1", amount=1, currency="EUR")])
    await house.decide(NOON + HOUR)

    (thanks,) = [one for one in await house.decisions() if one["trigger"] == "thanks"]
    assert (thanks["outcome"], thanks["effect"]) == ("no_channel", None)
