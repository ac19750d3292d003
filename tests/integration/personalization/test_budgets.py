"""An offer has a budget: however many decide at once, never more of it is given away."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from rapport_personalization.deciding import Decider, decide_due
from rapport_personalization.main import make_resources
from rapport_privacy.keyring import Resolved

from tests.integration.personalization.conftest import Open
from tests.support.events import NOON, happened
from tests.support.personalization_house import House

AWAKE = {"control": 0, "quiet_from": "00:00", "quiet_until": "00:00"}
BUDGET, CUSTOMERS, PATIENCE = 25, 200, 120.0
BATCHES = (2, 6, 11)
"""Of different sizes: whom one has locked leaves some to the others."""

COUPON = f"""
id: coupon
rank: 1
kind: service
on: {{event: order.placed, key: order}}
channels: [email]
template: thanks
offer: {{kind: percent, value: 10, code: unique, budget: {BUDGET}, expires: 14d}}
"""


@pytest.fixture
async def house(opened: Open, tmp_path: Path) -> AsyncIterator[House]:
    (tmp_path / "coupon.yaml").write_text(COUPON)
    async with opened(policies=AWAKE) as house:
        await house.install(tmp_path, since=NOON - timedelta(days=1))
        yield house


async def customers(house: House) -> Sequence[str]:
    answers = await house.keyring.resolve([{"user_id": uuid4().hex} for _ in range(CUSTOMERS)])
    return [str(one.subject) for one in answers if isinstance(one, Resolved)]


async def decide_side_by_side(house: House, deciders: Sequence[Decider]) -> list[int]:
    """Until nobody waits; how many turns of its own each of them had."""
    turns = [0 for _ in deciders]
    while await house.waiting():
        looked = await asyncio.gather(*(decide_due(one, NOON) for one in deciders))
        turns = [before + (now > 0) for before, now in zip(turns, looked, strict=True)]
    return turns


async def test_of_two_hundred_who_may_have_it_twenty_five_get_a_coupon_and_each_another(
    house: House,
) -> None:
    engines = [make_resources(house.settings).engine for _ in BATCHES]
    deciders = [
        Decider(engine, house.keyring, house.shop.rulebook, batch)
        for engine, batch in zip(engines, BATCHES, strict=True)
    ]
    await house.tell(
        happened("order.placed", person, order=f"o-{person}", amount=1, identifiedby="email")
        for person in await customers(house)
    )

    async with asyncio.timeout(PATIENCE):
        turns = await decide_side_by_side(house, deciders)
    for engine in engines:
        await engine.dispose()

    offers = await house.rows("SELECT code, decision FROM offer")
    decided = await house.decisions()
    issued = await house.rows("SELECT issued FROM trigger_version")
    told = Counter(envelope.type for envelope, _ in await house.told())
    assert sum(one > 0 for one in turns) >= 2
    assert Counter(one["outcome"] for one in decided) == {
        "sent": BUDGET,
        "no_budget": CUSTOMERS - BUDGET,
    }
    assert len({one["code"] for one in offers}) == len(offers) == BUDGET
    assert {one["decision"] for one in offers} == {
        one["id"] for one in decided if one["outcome"] == "sent"
    }
    assert [one["issued"] for one in issued] == [BUDGET]
    assert told == {
        "decision.made.v1": CUSTOMERS,
        "offer.issued.v1": BUDGET,
        "action.requested.v1": BUDGET,
    }
