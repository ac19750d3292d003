"""KPIs over time and by group, as a dashboard asks for them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rapport_events.envelope import Record
from rapport_metrics.closing import close_days
from rapport_metrics.domain.catalogue import CATALOGUE

from tests.support.events import happened, new_subject
from tests.support.fixtures import MakeDatabase
from tests.support.metrics_house import Callers, House, open_house, prepare_metrics

JANUARY = {"start": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
LATER = "2026-06-01T00:00:00Z"


@pytest.fixture
async def berlin(new_database: MakeDatabase, callers: Callers) -> AsyncIterator[House]:
    database = await new_database(prepare_metrics)
    async with open_house(database, callers, zone="Europe/Berlin") as house:
        yield house


def at(day: int, hour: int = 12, month: int = 1) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def ticket(number: int, when: datetime, channel: str | None = "email", **data: Any) -> Record:  # noqa: ANN401
    return happened(
        "ticket.created", new_subject(), when, channel=channel, ticket=f"t-{number}", **data
    )


def survey(number: int, score: int, kind: str = "nps") -> list[Record]:
    subject, name = new_subject(), f"v-{kind}-{number}"
    sent = happened("survey.sent", subject, at(5), survey=name, fields={"kind": kind})
    answer = {"survey": name, "kind": kind, "score": score}
    return [sent, happened("survey.responded", subject, at(6), fields=answer)]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_the_catalogue_says_of_every_kpi_what_it_is(house: House) -> None:
    listed = (await house.read("/v1/kpis"))["kpis"]

    assert [one["kpi"] for one in listed] == list(CATALOGUE)
    fcr = next(one for one in listed if one["kpi"] == "fcr")
    assert (fcr["definition"], fcr["unit"]) == ("fcr.v1", "percent")
    assert fcr["dimensions"] == ["channel", "team", "agent", "topic"]
    assert fcr["lookahead_seconds"] == 7 * 86_400


@pytest.mark.parametrize(
    ("grain", "count", "first", "busy"),
    [
        ("hour", 744, "2026-01-01T01:00:00.000Z", "2026-01-14T12:00:00.000Z"),
        ("day", 31, "2026-01-02T00:00:00.000Z", "2026-01-14T00:00:00.000Z"),
        ("week", 5, "2026-01-05T00:00:00.000Z", "2026-01-12T00:00:00.000Z"),
        ("month", 1, "2026-02-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z"),
    ],
)
async def test_a_month_is_cut_into_windows_of_the_calendar(
    house: House, grain: str, count: int, first: str, busy: str
) -> None:
    await house.tell([ticket(1, at(14)), ticket(2, at(14))])

    series = await house.series("contacts", **JANUARY, grain=grain)

    assert len(series) == count
    assert (series[0]["end"], series[-1]["end"]) == (first, "2026-02-01T00:00:00.000Z")
    assert [point["start"] for point in series if point["den"]] == [busy]


async def test_days_are_those_of_the_reporting_zone_when_clocks_change(berlin: House) -> None:
    # 29 March 2026: 02:00 in Berlin becomes 03:00, so the day is over at 22:00 UTC.
    evening = [ticket(1, at(28, 22, 3)), ticket(2, at(28, 23, 3))]
    await berlin.tell([*evening, ticket(3, at(29, 21, 3)), ticket(4, at(29, 22, 3))])
    span = {"start": "2026-03-27T23:00:00Z", "to": "2026-03-30T22:00:00Z"}

    series = await berlin.series("contacts", **span, grain="day")

    lengths = [instant(point["end"]) - instant(point["start"]) for point in series]
    assert [length // timedelta(hours=1) for length in lengths] == [24, 23, 24]
    assert [point["den"] for point in series] == [1, 2, 1]


async def test_months_of_the_reporting_zone_begin_at_its_midnight(berlin: House) -> None:
    await berlin.tell([ticket(1, at(31, 22)), ticket(2, at(31, 23))])
    span = {"start": "2025-12-31T23:00:00Z", "to": "2026-02-28T23:00:00Z"}

    series = await berlin.series("contacts", **span, grain="month")

    starts = [point["start"] for point in series]
    assert starts == ["2025-12-31T23:00:00.000Z", "2026-01-31T23:00:00.000Z"]
    assert [point["den"] for point in series] == [1, 1]


async def test_the_night_that_has_an_hour_twice_has_it_as_two_windows(berlin: House) -> None:
    span = {"start": "2026-10-24T22:00:00Z", "to": "2026-10-25T23:00:00Z"}

    series = await berlin.series("contacts", **span, grain="hour")

    assert len(series) == 25


async def test_groups_by_two_dimensions_add_up_to_the_whole(house: House) -> None:
    await house.tell(
        ticket(number, at(3 + number), channel, topic=topic)
        for number, (channel, topic) in enumerate(
            [("email", "billing"), ("chat", "billing"), ("email", "returns"), ("email", "billing")]
        )
    )

    series = await house.series("contacts", **JANUARY, group_by="channel,topic")

    found = {(one["dims"]["channel"], one["dims"]["topic"]): one["den"] for one in series}
    assert found == {("chat", "billing"): 1, ("email", "billing"): 2, ("email", "returns"): 1}
    by_one = await house.series("contacts", **JANUARY, group_by="topic", channel="email")
    assert {one["dims"]["topic"]: one["den"] for one in by_one} == {"billing": 2, "returns": 1}


async def test_who_is_in_no_group_is_left_out_of_the_groups_only(house: House) -> None:
    await house.tell([ticket(1, at(4), topic="billing"), ticket(2, at(4))])

    groups = await house.series("contacts", **JANUARY, group_by="topic")
    [whole] = await house.series("contacts", **JANUARY)

    assert [(one["dims"], one["den"]) for one in groups] == [({"topic": "billing"}, 1)]
    assert whole["den"] == 2


async def test_a_rate_of_nothing_is_null_and_says_so(house: House) -> None:
    for kpi in ("csat", "aov", "frt", "ccr"):
        answer = await house.read(f"/v1/kpis/{kpi}", **JANUARY)

        [point] = answer["series"]
        assert (point["den"], point["value"]) == (0, None)
        assert "null" in answer["note"]


async def test_a_sum_of_nothing_is_nought(house: House) -> None:
    answer = await house.read("/v1/kpis/revenue_gross", **JANUARY)

    assert answer["series"][0]["value"] == 0
    assert answer["note"] is None


@pytest.mark.parametrize(
    ("as_of", "state", "den", "pending"),
    [
        ("2026-01-20T00:00:00Z", "open", 1, 1),
        ("2026-02-03T00:00:00Z", "provisional", 1, 1),
        ("2026-02-09T00:00:00Z", "final", 2, 0),
    ],
)
async def test_what_looks_ahead_is_open_then_provisional_then_final(
    house: House, as_of: str, state: str, den: int, pending: int
) -> None:
    young = at(15) if state == "open" else at(30)
    await house.tell([ticket(1, at(4)), ticket(2, young)])

    [point] = await house.series("fcr", **JANUARY, as_of=as_of)

    assert (point["state"], point["den"], point["pending"]) == (state, den, pending)


async def test_shares_and_scores_come_with_their_interval(house: House) -> None:
    told = [one for number in range(12) for one in survey(number, 10 if number < 6 else 3)]
    await house.tell([*told, *survey(1, 5, "csat")])

    [score] = await house.series("nps", **JANUARY, as_of=LATER)
    [share] = await house.series("csat", **JANUARY, as_of=LATER)
    [mean] = await house.series("csat_mean", **JANUARY, as_of=LATER)

    assert (score["value"], score["small"]) == (0.0, False)
    assert score["interval"] == [-56.579287, 56.579287]
    assert (share["value"], share["small"]) == (100.0, True)
    assert share["interval"] == [20.654931, 100.0]
    assert "interval" not in mean


async def test_the_interval_of_the_past_is_that_of_the_past(house: House) -> None:
    subject, fields = new_subject(), {"survey": "v", "kind": "nps"}
    first, second = ({**fields, "score": score, "revision": n} for n, score in ((1, 9), (2, 2)))
    await house.tell(
        [
            happened("survey.sent", subject, at(5), fields=fields),
            happened("survey.responded", subject, at(6), fields=first),
            happened("survey.responded", subject, at(9), fields=second),
        ]
    )

    [then] = await house.series("nps", **JANUARY, as_of="2026-01-08T00:00:00Z")

    assert (then["value"], then["interval"]) == (100.0, [100.0, 100.0])


async def test_without_a_span_it_is_the_last_thirty_days(house: House) -> None:
    now = datetime.now(UTC)
    await house.tell([ticket(1, now - timedelta(days=2)), ticket(2, now - timedelta(days=40))])

    [point] = await house.series("contacts")

    assert (point["den"], point["state"]) == (1, "open")
    assert instant(point["end"]) - instant(point["start"]) == timedelta(days=30)


@pytest.mark.parametrize("grain", ["hour", "day"])
async def test_any_window_of_a_day_that_was_restated_says_so(house: House, grain: str) -> None:
    await house.tell([ticket(1, at(4))])
    async with house.resources.engine.begin() as tx:
        await close_days(tx, at(10))
    await house.tell([ticket(2, at(4, 15))])
    span = {"start": "2026-01-04T12:00:00Z", "to": "2026-01-05T12:00:00Z"}

    series = await house.series("contacts", **span, grain=grain)

    restated = [instant(one["start"]) for one in series if one["restated"]]
    assert {start.date() for start in restated} == {at(4).date()}
    assert len(restated) == (12 if grain == "hour" else 1)
