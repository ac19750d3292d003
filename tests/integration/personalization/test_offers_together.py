"""What all triggers may give away together, however many decide at once."""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path

from rapport_personalization.deciding import Decider, decide_due
from rapport_personalization.main import make_resources

from tests.integration.personalization.conftest import Open
from tests.support.events import NOON, happened
from tests.support.personalization_house import House
from tests.support.privacy import an_email

POLICIES = {"control": 0, "quiet_from": "00:00", "quiet_until": "00:00", "offers_a_month": 9}
COUPON = """
id: {id}
rank: 1
kind: service
on: {{event: {event}, key: {key}}}
channels: [email]
template: thanks
offer: {{kind: percent, value: 10, code: unique}}
"""
BATCHES = (4, 12, 24)
"""Of different sizes: whom one has locked leaves some to the others."""
DAY = timedelta(days=1)


async def told(house: House, number: int, days: int = 0) -> None:
    at = NOON + days * DAY
    people = [await house.person(email=an_email()) for _ in range(number)]
    await house.tell(
        record
        for one in people
        for record in (
            happened("order.placed", one, at, order=f"o-{one}", identifiedby="email"),
            happened("cart.updated", one, at, cart=f"c-{one}", value=1, identifiedby="email"),
        )
    )


async def decide_together(house: House, now: timedelta = timedelta(0)) -> None:
    engines = [make_resources(house.settings).engine for _ in BATCHES]
    deciders = [
        Decider(engine, house.keyring, house.shop.rulebook, batch)
        for engine, batch in zip(engines, BATCHES, strict=True)
    ]
    async with asyncio.timeout(120):
        while await house.waiting():
            await asyncio.gather(*(decide_due(one, NOON + now) for one in deciders))
    for engine in engines:
        await engine.dispose()


async def test_three_who_decide_at_once_give_away_no_more_than_all_may_together(
    opened: Open, tmp_path: Path
) -> None:
    orders = COUPON.format(id="of_orders", event="order.placed", key="order")
    carts = COUPON.format(id="of_carts", event="cart.updated", key="cart")
    (tmp_path / "of_orders.yaml").write_text(orders)
    (tmp_path / "of_carts.yaml").write_text(carts)
    async with opened(policies=POLICIES) as house:
        await house.install(tmp_path, since=NOON - DAY)
        await told(house, 20)

        await decide_together(house)
        first = await house.rows("SELECT offer FROM offer")
        await told(house, 10, days=31)
        await decide_together(house, 31 * DAY)

        outcomes = Counter(one["outcome"] for one in await house.decisions())
    assert len(first) == 9
    # A month later there are nine more.
    assert outcomes == {"sent": 18, "no_budget": 42}
