"""Replies and resolutions in business hours, as a deployment sets them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError
from rapport_events.envelope import Record
from rapport_metrics.settings import KpiSettings

from tests.integration.metrics.conftest import Open
from tests.support.events import happened, new_subject
from tests.support.metrics_house import House

HOUR = 3_600
WEEK = {day: ["09:00-12:00", "13:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
ROME = {"zone": "Europe/Rome", "hours": WEEK, "holidays": ["2026-04-06"]}
"""Easter Monday is no working day; the clocks went forward on 29 March."""
SPRING = {"start": "2026-03-01T00:00:00Z", "to": "2026-05-01T00:00:00Z"}


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def ticket(what: str, when: datetime, **data: str) -> Record:
    subject = new_subject()
    return happened(
        f"ticket.{what}", subject, when, channel="email", fields={"ticket": "t-1", **data}
    )


async def only(house: House, kpi: str) -> tuple[int, int]:
    [point] = await house.series(kpi, **SPRING, as_of="2026-06-01T00:00:00Z")
    return point["num"], point["den"]


async def test_a_weekend_a_holiday_and_the_new_clocks_do_not_count(opened: Open) -> None:
    friday_before_easter, tuesday_after = at(4, 3, 14), at(4, 7, 7, 30)

    async with opened(calendar=ROME) as house:
        await house.tell(
            [
                ticket("created", friday_before_easter, priority="urgent"),
                ticket("message", tuesday_after, direction="out", agent="kim"),
            ]
        )

        # 16:00 to 17:00 on Friday in Rome, and 9:00 to 9:30 on Tuesday.
        assert await only(house, "frt") == (HOUR + HOUR // 2, 1)
        assert await only(house, "sla_frt") == (0, 1)


async def test_what_is_due_exactly_when_it_is_done_is_met(opened: Open) -> None:
    async with opened(calendar=ROME, sla_first_reply_seconds={"urgent": 2 * HOUR}) as house:
        await house.tell(
            [
                ticket("created", at(4, 3, 14), priority="urgent"),
                ticket("message", at(4, 7, 8), direction="out"),
            ]
        )

        assert await only(house, "sla_frt") == (1, 1)


@pytest.mark.parametrize(("pauses", "met"), [(False, 0), (True, 1)])
async def test_the_clock_stands_while_the_customer_has_the_word(
    opened: Open, *, pauses: bool, met: int
) -> None:
    seconds = {"normal": 10 * HOUR}

    async with opened(pause_while_pending=pauses, sla_resolution_seconds=seconds) as house:
        await house.tell(
            [
                ticket("created", at(3, 2, 8)),
                ticket("pending", at(3, 2, 10)),
                ticket("message", at(3, 4, 10), direction="in"),
                ticket("resolved", at(3, 4, 18)),
            ]
        )

        # Two hours before the question, eight after the answer: ten, exactly.
        assert await only(house, "sla_res") == (met, 1)


async def test_what_waits_for_the_customer_is_not_overdue(opened: Open) -> None:
    async with opened(pause_while_pending=True) as house:
        await house.tell([ticket("created", at(3, 2, 8)), ticket("pending", at(3, 2, 10))])
        waiting = await only(house, "sla_res")
        await house.tell([ticket("message", at(3, 3, 10), direction="in")])

        assert waiting == (0, 0)
        assert await only(house, "sla_res") == (0, 1)


async def test_a_priority_without_a_target_of_its_own_has_the_normal_one(opened: Open) -> None:
    async with opened(sla_first_reply_seconds={"normal": 60}) as house:
        await house.tell(
            [
                ticket("created", at(3, 2, 8), priority="whenever"),
                ticket("message", at(3, 2, 8, 2), direction="out"),
            ]
        )

        assert await only(house, "sla_frt") == (0, 1)


def test_a_calendar_can_be_a_file(tmp_path: Path) -> None:
    file = tmp_path / "calendar.json"
    file.write_text(json.dumps(ROME))

    found = KpiSettings.model_validate({"calendar_file": str(file)})

    assert found.calendar is not None
    assert found.calendar.zone == "Europe/Rome"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"zone": "Europe/Rom"}, "no such IANA time zone"),
        ({"hours": {"mon": ["9 to 5"]}}, "is no span such as"),
        ({"hours": {"mon": ["17:00-09:00"]}}, "ends before it begins"),
        ({"hours": {"mon": ["09:00-13:00", "12:00-17:00"]}}, "do not overlap"),
        ({"hours": {"mon": []}}, "needs an hour of work"),
        ({"hours": {"monday": ["09:00-17:00"]}}, "hours.monday"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(
    change: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint):
        KpiSettings.model_validate({"calendar": {**ROME, **change}})
