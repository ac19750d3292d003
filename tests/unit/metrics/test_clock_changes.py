"""Business hours on the days when clocks change, against a walk through every minute."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from rapport_metrics.domain.calendars import Calendar, Span, due_at, worked_seconds
from rapport_metrics.domain.instants import SECOND, instant, moment

MINUTE = 60
CHANGES = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    # By half an hour.
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    # From midnight to one, and from one to midnight.
    ("America/Havana", date(2026, 3, 8)),
    ("America/Havana", date(2026, 11, 1)),
]
HOURS = [
    "00:00-00:00",
    "00:00-02:30",
    "01:30-02:30",
    "02:30-08:00",
    "00:30-01:45 02:15-02:20 02:45-00:00",
    "02:00-02:30 03:00-04:00",
]


def spans(written: str) -> tuple[Span, ...]:
    pairs = [one.split("-") for one in written.split()]
    return tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in pairs)


def daily(zone: str, written: str, *holidays: date) -> Calendar:
    return Calendar(zone, dict.fromkeys(range(1, 8), spans(written)), frozenset(holidays))


def walked(calendar: Calendar, start: int, end: int) -> int:
    """Seconds of those minutes whose time on the wall is a working one."""
    zone, seconds = ZoneInfo(calendar.zone), 0
    for at in range(start, end, MINUTE * SECOND):
        wall = moment(at).astimezone(zone)
        hours = () if wall.date() in calendar.holidays else calendar.hours[wall.isoweekday()]
        now = wall.time()
        if any(opens <= now and (now < closes or closes == time(0)) for opens, closes in hours):
            seconds += MINUTE
    return seconds


def around(day: date) -> tuple[int, int]:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return instant(noon - timedelta(days=2)), instant(noon + timedelta(days=2))


@pytest.mark.parametrize(
    ("written", "day", "seconds"),
    [
        ("01:30-02:30", date(2026, 3, 29), 1_800),
        ("02:00-02:30 03:00-04:00", date(2026, 3, 29), 3_600),
        ("00:00-02:30", date(2026, 10, 25), 10_800),
        ("02:30-08:00", date(2026, 10, 25), 21_600),
    ],
)
def test_hours_that_begin_or_end_while_clocks_change(written: str, day: date, seconds: int) -> None:
    berlin = daily("Europe/Berlin", written, day - timedelta(days=1), day + timedelta(days=1))
    start, end = (instant(datetime.combine(day, at, UTC)) for at in (time(0), time(12)))

    assert worked_seconds(berlin, start - 12 * 3_600 * SECOND, end) == seconds


@pytest.mark.parametrize("written", HOURS)
@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_as_many_seconds_are_worked_as_a_walk_finds(zone: str, day: date, written: str) -> None:
    calendar, (first, last) = daily(zone, written), around(day)
    rng = Random(day.toordinal())

    for _ in range(4):
        start = first + rng.randrange(2 * 1_440) * MINUTE * SECOND
        end = start + rng.randrange((last - start) // (MINUTE * SECOND)) * MINUTE * SECOND
        assert worked_seconds(calendar, start, end) == walked(calendar, start, end)
    assert worked_seconds(calendar, first, last) == walked(calendar, first, last)


@pytest.mark.parametrize("written", HOURS)
@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_what_is_due_is_due_when_a_walk_gets_there(zone: str, day: date, written: str) -> None:
    calendar, (start, last) = daily(zone, written), around(day)
    worked = walked(calendar, start, last)

    for seconds in range(MINUTE, worked, 97 * MINUTE):
        due = due_at(calendar, start, seconds)
        assert due is not None
        assert walked(calendar, start, due) == seconds
        assert walked(calendar, due - MINUTE * SECOND, due) == MINUTE


@pytest.mark.parametrize("written", HOURS)
@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_spans_of_a_day_go_in_order_and_do_not_overlap(zone: str, day: date, written: str) -> None:
    edges = [edge for span in daily(zone, written).spans(day) for edge in span]

    assert edges == sorted(edges)
