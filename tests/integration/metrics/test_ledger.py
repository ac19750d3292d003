"""Published days, what changes them, and targets that are missed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import orjson
import pytest
from prometheus_client import Gauge
from rapport_metrics.closing import close_days, tell_restatements
from rapport_metrics.settings import MetricsSettings
from rapport_metrics.targets import watch_targets
from rapport_metrics.watch import LABELS, watch_once
from sqlalchemy import text

from tests.support.events import happened, new_subject
from tests.support.kpi_example import IS_PRESENT, happenings, lines
from tests.support.kpi_records import records
from tests.support.metrics_house import House

JANUARY = {"start": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
FEBRUARY_3 = datetime(2026, 2, 3, tzinfo=UTC)
SEED = 3


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


def order(subject: str, day: int, amount: int = 5_000) -> Any:  # noqa: ANN401 - a record
    return happened(
        "order.placed", subject, at(day), order=f"o-{day}", amount=amount, currency="EUR"
    )


async def close(house: House, now: datetime = FEBRUARY_3) -> None:
    async with house.resources.engine.begin() as tx:
        await close_days(tx, now)


async def ledger(house: House, **query: str) -> Sequence[dict[str, Any]]:
    found: Sequence[dict[str, Any]] = (await house.read("/v1/restatements", **query))[
        "restatements"
    ]
    return found


async def said(house: House) -> list[dict[str, Any]]:
    """What waits to be published."""
    async with house.resources.engine.connect() as connection:
        rows = await connection.execute(text("SELECT value FROM outbox ORDER BY id"))
        return [orjson.loads(row[0]) for row in rows]


async def test_a_refund_of_a_published_day_is_in_the_ledger_with_its_cause(house: House) -> None:
    subject = new_subject()
    await house.tell([order(subject, 5)])
    await close(house)
    refund = happened("order.refunded", subject, at(30), order="o-5", refund="r", amount=2_000)

    await house.tell([refund])

    [restated] = await ledger(house, kpi="aov")
    assert (restated["num"], restated["den"], restated["day"]) == (-2_000, 0, "2026-01-05")
    assert restated["first_published"] == {"num": 5_000, "den": 1}
    assert restated["causes"] == [refund.key.hex()]
    assert restated["kinds"] == {"order.refunded.v1": 1}
    [point] = await house.series("aov", **JANUARY)
    assert (point["num"], point["restated"]) == (3_000, True)


async def test_what_happens_in_an_open_day_is_no_restatement(house: House) -> None:
    await close(house, at(10))

    await house.tell([order(new_subject(), 20)])

    assert await ledger(house) == []
    [point] = await house.series("revenue_gross", **JANUARY)
    assert point["restated"] is False


async def test_a_restatement_is_told_once_with_what_it_was_and_what_it_is(house: House) -> None:
    subject = new_subject()
    await house.tell([order(subject, 5)])
    await close(house)
    for number, amount in enumerate((1_000, 500)):
        refund = {"order": "o-5", "refund": f"r-{number}", "amount": amount}
        await house.tell([happened("order.refunded", subject, at(29), fields=refund)])
        async with house.resources.engine.begin() as tx:
            await tell_restatements(tx, FEBRUARY_3)

    told = [event for event in await said(house) if event["data"]["kpi"] == "aov"]

    assert [event["type"] for event in told] == ["kpi.restated.v1"] * 2
    assert [(one["data"]["num_before"], one["data"]["num_after"]) for one in told] == [
        (5_000, 4_000),
        (4_000, 3_500),
    ]
    async with house.resources.engine.begin() as tx:
        assert await tell_restatements(tx, FEBRUARY_3) == 0


@pytest.mark.skipif(not IS_PRESENT, reason="the worked example is not here")
async def test_first_published_and_the_ledger_add_up_to_what_it_is_now(house: House) -> None:
    told = list(records(happenings(lines())))
    Random(SEED).shuffle(told)
    half = len(told) // 2
    await house.tell(told[:half])
    await close(house, datetime(2026, 7, 2, tzinfo=UTC))
    await house.tell(told[half:], batch=333)

    async with house.resources.engine.connect() as connection:
        wrong = await connection.execute(
            text("""
                SELECT coalesce(now.metric, told.metric), coalesce(now.day, told.day)
                FROM (
                    SELECT metric, DATE '1970-01-01' + bucket / 1440 AS day, sum(num) AS num,
                        sum(den) AS den
                    FROM cell, closing WHERE bucket < closed_until GROUP BY 1, 2
                ) AS now FULL JOIN (
                    SELECT metric, day, sum(num) AS num, sum(den) AS den FROM (
                        SELECT metric, day, num, den FROM published
                        UNION ALL SELECT metric, day, num, den FROM restatement
                    ) AS said GROUP BY 1, 2
                ) AS told ON now.metric = told.metric AND now.day = told.day
                WHERE coalesce(now.num, 0) <> coalesce(told.num, 0)
                    OR coalesce(now.den, 0) <> coalesce(told.den, 0)
            """)
        )
        assert wrong.all() == []
        restatements = await connection.scalar(text("SELECT count(*) FROM restatement"))
        assert restatements > 100


async def test_a_missed_target_is_raised_once_and_cleared_when_it_is_met_again(
    house: House,
) -> None:
    settings = house.resources.settings
    assert isinstance(settings, MetricsSettings)
    target = {"kpi": "csat", "at_least": 80, "least_den": 2, "window_days": 20}
    answer = await house.put("/v1/targets/satisfied", target)
    assert answer.status_code == 200, answer.text
    now, turned = at(20), []
    for day, score in enumerate((2, 1, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5), start=5):
        survey = {"survey": f"s-{day}", "kind": "csat"}
        await house.tell(
            [
                happened("survey.sent", new_subject(), at(day, 8), fields=survey),
                happened(
                    "survey.responded", new_subject(), at(day, 9), fields=survey | {"score": score}
                ),
            ]
        )
        async with house.resources.engine.begin() as tx:
            await watch_targets(tx, settings, now)
        turned.append([alert["name"] for alert in (await house.read("/v1/alerts"))["alerts"]])

    assert turned == [[], *[["satisfied"]] * 8, [], [], []]
    events = [(one["type"], one["data"]["alert"]) for one in await said(house)]
    assert events == [("alert.raised.v1", "satisfied"), ("alert.cleared.v1", "satisfied")]


async def test_bad_targets_are_refused_with_the_field(house: House) -> None:
    unknown = await house.put("/v1/targets/x", {"kpi": "npz", "at_least": 1})
    boundless = await house.put("/v1/targets/x", {"kpi": "nps"})
    mixed = await house.put("/v1/targets/x", {"kpi": "aov", "at_least": 1})
    foreign = await house.put(
        "/v1/targets/x", {"kpi": "nps", "at_least": 1, "dims": {"topic": "billing"}}
    )

    assert (unknown.status_code, "did you mean nps" in unknown.text) == (422, True)
    assert boundless.status_code == 422
    assert (mixed.status_code, "never added: name the one" in mixed.text) == (422, True)
    assert (foreign.status_code, "bad_dimension" in foreign.text) == (422, True)


async def test_headlines_are_gauges_without_any_customer(house: House) -> None:
    settings = house.resources.settings
    assert isinstance(settings, MetricsSettings)
    subject = new_subject()
    now = datetime.now(UTC) - timedelta(hours=2)
    await house.tell([happened("order.placed", subject, now, amount=4_000, currency="EUR")])
    gauge = house.resources.metrics.gauge("kpi_value", "A headline KPI of the last 30 days", LABELS)
    assert isinstance(gauge, Gauge)

    await watch_once(house.resources, settings, datetime.now(UTC), gauge)

    scraped = (await house.client.get("/metrics")).text
    assert 'rapport_metrics_kpi_value{currency="",kpi="aov"} 4000.0' in scraped
    assert subject not in scraped
