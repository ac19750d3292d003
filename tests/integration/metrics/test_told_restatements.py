"""What changed in published days is told once, however many events changed it."""

from datetime import UTC, datetime, timedelta

import orjson
from rapport_metrics.closing import close_days, tell_restatements
from sqlalchemy import text

from tests.support.events import happened, new_subject
from tests.support.metrics_house import House

DAY = datetime(2026, 1, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATER = datetime(2026, 2, 3, tzinfo=UTC)


async def test_batches_with_different_numbers_of_causes_are_told_together(house: House) -> None:
    subject = new_subject()
    orders = [
        happened(
            "order.placed", subject, DAY + n * HOUR, order=f"o-{n}", amount=5_000, currency="EUR"
        )
        for n in range(3)
    ]
    await house.tell(orders)
    async with house.resources.engine.begin() as tx:
        await close_days(tx, LATER)
    refunds = [
        happened("order.refunded", subject, DAY, order=f"o-{n}", refund=f"r-{n}", amount=1_000)
        for n in range(3)
    ]

    await house.tell(refunds[:1])
    await house.tell(refunds[1:])
    async with house.resources.engine.begin() as tx:
        await tell_restatements(tx, LATER)

    async with house.resources.engine.connect() as connection:
        rows = (await connection.scalars(text("SELECT value FROM outbox ORDER BY id"))).all()
    [aov] = [one["data"] for one in map(orjson.loads, rows) if one["data"]["kpi"] == "aov"]
    assert (aov["num_before"], aov["num_after"]) == (15_000, 12_000)
    assert aov["cause_events"] == sorted(refund.key.hex() for refund in refunds)
    assert aov["cause"] == "order.refunded.v1"
