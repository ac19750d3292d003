"""What the feedback service tells is counted beside what publishers tell, and counted once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from rapport_events.envelope import Record
from rapport_events.topics import FEEDBACK

from tests.support.events import happened, new_subject
from tests.support.metrics_house import House

JANUARY = {"start": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def ours(type_: str, subject: str, at: datetime, **data: Any) -> Record:  # noqa: ANN401 - any event
    record = happened(type_, subject, at, source="/rapport/feedback", **data)
    return msgspec.structs.replace(record, topic=FEEDBACK.name)


async def one(house: House, kpi: str, **query: str) -> dict[str, Any]:
    [point] = await house.series(kpi, **JANUARY, **query)
    return point


async def test_a_survey_that_a_publisher_sends_as_well_is_one_survey(house: House) -> None:
    ada = new_subject()
    survey: dict[str, Any] = {"survey": "v-1", "kind": "nps", "about": "relationship"}
    await house.tell(
        [
            ours("survey.sent", ada, NOON, **survey),
            ours("survey.responded", ada, NOON + HOUR, score=9, **survey),
            happened("survey.sent", ada, NOON + HOUR / 2, **survey),
            happened("survey.responded", ada, NOON + HOUR, score=9, **survey),
        ],
        batch=1,
    )

    nps, rate = await one(house, "nps"), await one(house, "response_rate_nps")

    assert (nps["num"], nps["den"]) == (1, 1)
    assert (rate["num"], rate["den"]) == (1, 1)


async def test_whom_we_did_not_ask_is_in_no_number(house: House) -> None:
    not_asked = ours(
        "survey.not_invited", new_subject(), NOON, fields={"reason": "throttled", "kind": "nps"}
    )
    await house.tell([not_asked])

    assert (await one(house, "response_rate_nps"))["den"] == 0


async def test_follow_ups_have_a_distribution_and_two_shares(house: House) -> None:
    for number in range(10):
        ada, loop = new_subject(), f"l-{number}"
        await house.tell(
            [
                ours("loop.opened", ada, NOON, loop=loop, owner="care", due=NOON + 5 * HOUR),
                ours(
                    "loop.closed", ada, NOON + (number + 1) * HOUR, loop=loop,
                    owner="eve" if number else "tom", outcome="solved", informed=number > 3,
                ),
            ]
        )  # fmt: skip

    time = await one(house, "loop_time")
    informed, in_time = await one(house, "loop_informed"), await one(house, "loop_in_time")
    toms = [
        point
        for point in await house.series("loop_time", **JANUARY, group_by="agent")
        if point["dims"] == {"agent": "tom"}
    ]

    assert (time["value"], time["n"]) == (5.5 * 3_600, 10)
    # A bin is at most 1/128 of its value wide.
    assert abs(time["percentiles"]["p50"] - 5 * 3_600) <= 5 * 3_600 / 128
    assert abs(time["percentiles"]["p90"] - 9 * 3_600) <= 9 * 3_600 / 128
    assert (informed["value"], in_time["value"]) == (60, 50)
    assert [point["num"] for point in toms] == [3_600]


async def test_as_of_a_day_on_which_it_was_open_a_follow_up_counts_nowhere(house: House) -> None:
    ada = new_subject()
    await house.tell(
        [
            ours("loop.opened", ada, NOON, loop="l"),
            ours("loop.closed", ada, NOON + 48 * HOUR, loop="l", informed=True),
        ]
    )

    before = await one(house, "loop_time", as_of="2026-01-11T00:00:00Z")
    now = await one(house, "loop_time")

    assert (before["den"], now["den"]) == (0, 1)
