"""Nobody is woken: what their clock says counts, also in the nights in which it jumps."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from rapport_events import wire
from rapport_personalization.domain.calendar import birthday_in, calendar_candidates
from rapport_personalization.domain.candidates import hold
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.fold import folded
from rapport_personalization.domain.moment import Personal
from rapport_personalization.domain.policies import QuietHours
from rapport_personalization.domain.quiet import is_zone, local_instant, next_allowed, parsed, zone
from rapport_personalization.domain.trigger import Calendar, Entry

from tests.support.decisions import ADA, NOON, POLICIES, a_trigger, moment

QUARTER = timedelta(minutes=15)
NIGHT = QuietHours(time(21), time(8))


def until(at: str, tz: str, hours: QuietHours = NIGHT) -> str:
    found = next_allowed(datetime.fromisoformat(f"{at}+00:00"), ZoneInfo(tz), hours)
    return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


@pytest.mark.parametrize(
    ("at", "tz", "allowed"),
    [
        ("2026-03-02T20:59:59", "UTC", "2026-03-02T20:59:59"),
        ("2026-03-02T21:00:00", "UTC", "2026-03-03T08:00:00"),
        ("2026-03-03T07:59:59", "UTC", "2026-03-03T08:00:00"),
        ("2026-03-03T08:00:00", "UTC", "2026-03-03T08:00:00"),
        ("2026-03-02T12:00:00", "Asia/Tokyo", "2026-03-02T23:00:00"),
        ("2026-03-28T21:30:00", "Europe/Berlin", "2026-03-29T06:00:00"),
        ("2026-10-24T20:30:00", "Europe/Berlin", "2026-10-25T07:00:00"),
        ("2026-03-02T15:00:00", "Asia/Kolkata", "2026-03-02T15:00:00"),
        ("2026-03-02T15:30:00", "Asia/Kolkata", "2026-03-03T02:30:00"),
    ],
)
def test_a_message_waits_for_the_morning(at: str, tz: str, allowed: str) -> None:
    assert until(at, tz) == allowed


def test_an_end_that_the_clock_skips_is_an_hour_later() -> None:
    hours = QuietHours(time(1), time(2, 30))

    # 2026-03-29 in Berlin: 01:59 is followed by 03:00, so 02:30 is 03:30 (01:30 UTC).
    assert until("2026-03-29T00:30:00", "Europe/Berlin", hours) == "2026-03-29T01:30:00"


def test_an_end_that_comes_twice_is_the_first_and_the_second_when_that_is_past() -> None:
    hours = QuietHours(time(1), time(2, 30))

    # 2026-10-25 in Berlin: 02:30 is at 00:30 and at 01:30 UTC.
    assert until("2026-10-24T23:30:00", "Europe/Berlin", hours) == "2026-10-25T00:30:00"
    assert until("2026-10-25T01:10:00", "Europe/Berlin", hours) == "2026-10-25T01:30:00"


def test_half_an_hour_of_dst_is_half_an_hour() -> None:
    hours = QuietHours(time(22), time(2, 15))

    # Lord Howe, 2026-10-04: 01:59 is followed by 02:30.
    assert until("2026-10-03T15:00:00", "Australia/Lord_Howe", hours) == "2026-10-03T15:45:00"


def test_hours_that_begin_where_they_end_are_never_quiet() -> None:
    assert until("2026-03-02T03:00:00", "UTC", QuietHours(time(3), time(3))) == (
        "2026-03-02T03:00:00"
    )


def test_hours_within_a_day_do_not_wrap() -> None:
    siesta = QuietHours(time(13), time(15))

    assert until("2026-03-02T14:00:00", "UTC", siesta) == "2026-03-02T15:00:00"
    assert until("2026-03-02T23:00:00", "UTC", siesta) == "2026-03-02T23:00:00"


@pytest.mark.parametrize(
    ("own", "at", "told"),
    [
        # Theirs are 21:00 to 08:00.
        (("08:00", "10:00"), "07:00", "10:00"),
        (("20:00", "06:00"), "20:30", "+08:00"),
        (("12:00", "14:00"), "13:00", "14:00"),
        (("12:00", "14:00"), "15:00", "15:00"),
        # Together they leave no hour of the day.
        (("08:00", "21:00"), "07:00", "08:00"),
        (("08:00", "21:00"), "12:00", "12:00"),
    ],
)
def test_a_trigger_may_have_quiet_hours_of_its_own(
    own: tuple[str, str], at: str, told: str
) -> None:
    hours = QuietHours(time.fromisoformat(own[0]), time.fromisoformat(own[1]))
    trigger, day = a_trigger(kind="service", quiet_hours=hours), NOON.date()
    asked = datetime.combine(day, time.fromisoformat(at), UTC)

    found = hold(trigger, Customer("ada"), asked, POLICIES)

    if told.startswith("+"):
        day += timedelta(days=1)
    assert found == datetime.combine(day, time.fromisoformat(told.lstrip("+")), UTC)
    assert hold(trigger, Customer("ada"), found, POLICIES) == found


@pytest.mark.parametrize(
    "name", [None, "", "No/Where", "../../etc/passwd", "Europe", "x" * 5_000, "Europe/\x00"]
)
def test_an_unknown_zone_is_that_of_the_deployment_and_not_utc(name: str | None) -> None:
    assert zone(name, "Asia/Tokyo").key == "Asia/Tokyo"
    assert not is_zone(name or "")


@pytest.mark.parametrize("text", [None, "", "21:00", "25:00-08:00", "21:00-08:00-09:00", "night"])
def test_hours_that_cannot_be_read_are_none(text: str | None) -> None:
    assert parsed(text) is None


def test_nine_in_the_morning_is_nine_in_the_morning() -> None:
    assert local_instant(date(2026, 3, 29), time(9), ZoneInfo("Europe/Berlin")) == datetime(
        2026, 3, 29, 7, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("day", "zone_name", "clock", "utc"),
    [
        # Clocks go from 02:00 to 03:00: half past two is half past three.
        (date(2026, 3, 29), "Europe/Berlin", time(2, 30), "2026-03-29T01:30Z"),
        (date(2026, 3, 8), "America/New_York", time(2, 30), "2026-03-08T07:30Z"),
        # By half an hour only.
        (date(2026, 10, 4), "Australia/Lord_Howe", time(2, 15), "2026-10-03T15:45Z"),
        # From 03:00 back to 02:00: half past two comes twice, and the first counts.
        (date(2026, 10, 25), "Europe/Berlin", time(2, 30), "2026-10-25T00:30Z"),
        # The whole day was left out.
        (date(2011, 12, 30), "Pacific/Apia", time(9), "2011-12-30T19:00Z"),
    ],
)  # fmt: skip
def test_a_time_that_clocks_leave_out_comes_later_by_the_gap_and_a_repeated_one_once(
    day: date, zone_name: str, clock: time, utc: str
) -> None:
    assert local_instant(day, clock, ZoneInfo(zone_name)) == datetime.fromisoformat(utc)


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25), date(2026, 6, 1)])
@pytest.mark.parametrize("clock", [time(2), time(2, 30), time(3)])
def test_a_birthday_is_congratulated_on_once_also_where_its_hour_is_missing(
    day: date, clock: time
) -> None:
    """However often the calendar is looked at, and wherever one look ends and the next begins."""
    born = Personal(birthday=(day.month, day.day), reaches=frozenset({"email"}))
    created = wire.CustomerCreated(tz="Europe/Berlin")
    ada = folded(ADA, [moment(created, datetime(2026, 1, 1, tzinfo=UTC), personal=born)])
    trigger = a_trigger(
        "birthday", on=Entry(calendar=Calendar(kind="birthday", at=clock)), kind="marketing"
    )
    midnight = datetime.combine(day - timedelta(days=1), time(12), UTC)
    found = [
        one.due
        for step in range(288)
        for one in calendar_candidates(
            trigger, ada, midnight + step * QUARTER, midnight + (step + 1) * QUARTER, POLICIES
        )
    ]

    assert found == [local_instant(day, clock, ZoneInfo("Europe/Berlin"))]


@pytest.mark.parametrize(
    ("year", "is_born_late", "day"),
    [(2027, False, (2, 28)), (2027, True, (3, 1)), (2028, False, (2, 29)), (2028, True, (2, 29))],
)
def test_a_leap_day_is_celebrated_every_year(
    year: int,
    is_born_late: bool,  # noqa: FBT001
    day: tuple[int, int],
) -> None:
    assert birthday_in(year, (2, 29), is_born_late=is_born_late) == date(year, *day)


@pytest.mark.parametrize(
    "text", ["20:00Z-09:00Z", "20:00+01:00-09:00", "20-09", "2000-0900", "20:00:00-09:00", "24:00-"]
)
def test_only_what_a_clock_on_a_wall_shows_are_quiet_hours(text: str) -> None:
    assert parsed(text) is None
    assert parsed("20:00-09:00") == QuietHours(time(20), time(9))
