"""What changed in published days is told once, however many events changed it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from rapport_metrics.closing import close_days, tell_restatements
from rapport_metrics.domain.catalogue import CATALOGUE
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


async def told(house: House) -> list[dict[str, Any]]:
    async with house.resources.engine.begin() as tx:
        await tell_restatements(tx, LATER)
        rows = (await tx.scalars(text("SELECT value FROM outbox ORDER BY id"))).all()
    return [orjson.loads(row)["data"] for row in rows]


async def test_what_changes_is_told_by_the_names_of_the_kpis(house: House) -> None:
    async with house.resources.engine.begin() as tx:
        await close_days(tx, LATER)
    call, ticket = {"call": "c-1"}, {"ticket": "t-1"}
    leg = call | {"leg": 1, "talk": 60, "hold": 0, "wrap": 5}

    await house.tell(
        [
            happened("ticket.created", new_subject(), DAY, channel="email", fields=ticket),
            happened("call.offered", new_subject(), DAY, channel="phone", fields=call),
            happened("call.answered", new_subject(), DAY, channel="phone", fields=call),
            happened("call.leg_ended", new_subject(), DAY + HOUR, channel="phone", fields=leg),
        ]
    )

    names = {one["kpi"] for one in await told(house)}
    assert names >= {"backlog_end", "aht", "handle_time", "contacts"}
    assert names <= set(CATALOGUE)
    rows = (await house.read("/v1/restatements"))["restatements"]
    by_metric = {row["metric"]: set(row["kpis"]) for row in rows}
    assert by_metric["backlog"] == {"backlog_end"}
    assert by_metric["aht"] == {"aht", "handle_time"}
    assert by_metric["contacts"] == {"contacts", "channel_mix", "contact_rate_orders"}


async def test_how_many_are_open_is_restated_in_every_later_window(house: House) -> None:
    ticket = {"ticket": "t-1"}
    async with house.resources.engine.begin() as tx:
        await close_days(tx, LATER)
    await house.tell([happened("ticket.created", new_subject(), DAY, fields=ticket)])

    days = {"start": "2026-01-03T00:00:00Z", "to": "2026-01-09T00:00:00Z", "grain": "day"}
    open_at_end = await house.series("backlog_end", **days)
    created = await house.series("contacts", **days)
    later = await house.series(
        "backlog_end", start="2026-01-20T00:00:00Z", to="2026-01-21T00:00:00Z"
    )

    assert [one["restated"] for one in open_at_end] == [False, False, True, True, True, True]
    assert [one["restated"] for one in created] == [False, False, True, False, False, False]
    assert [(one["num"], one["restated"]) for one in later] == [(1, True)]


async def test_of_persons_nobody_claims_to_know_what_changed(house: House) -> None:
    async with house.resources.engine.begin() as tx:
        await close_days(tx, LATER)
    order = {"order": "o-1", "amount": 5_000, "currency": "EUR"}
    await house.tell([happened("order.placed", new_subject(), DAY, fields=order)])
    january = {"start": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}

    [buyers] = await house.series("active_buyers", **january)
    refused = await house.get("/v1/restatements", kpi="active_buyers")

    assert (buyers["num"], buyers["restated"]) == (1, None)
    assert (refused.status_code, refused.json()["code"]) == (422, "no_ledger")
    assert "counts persons" in refused.json()["detail"]
