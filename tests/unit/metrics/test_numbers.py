"""Integers to numbers: bins, ranks, ratios and business hours."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random

import pytest
from rapport_metrics.domain.calendars import Calendar, due_at, worked_seconds
from rapport_metrics.domain.histogram import index, quantile, representative
from rapport_metrics.domain.instants import instant
from rapport_metrics.domain.value import ratio

EXACT = 256
NINE_TO_FIVE = {day: ((time(9), time(17)),) for day in range(1, 6)}
NEW_YORK = Calendar("America/New_York", NINE_TO_FIVE, frozenset({date(2026, 11, 26)}))
ROUND_THE_CLOCK = Calendar("Europe/Rome", {day: ((time(0), time(0)),) for day in range(1, 8)})
HOUR = 3_600


def test_up_to_70_000_no_bin_is_further_from_its_values_than_the_256th_part() -> None:
    before = 0
    for value in range(70_001):
        bin_ = index(value)
        assert before <= bin_ <= before + 1, value
        before = bin_
        middle = representative(bin_)
        if value < EXACT:
            assert middle == value
        assert abs(middle - value) * 256 <= value, value


def test_nor_is_any_up_to_a_thousand_years() -> None:
    rng = Random(1)
    for value in (rng.randrange(2**35) for _ in range(20_000)):
        assert abs(representative(index(value)) - value) * 256 <= value, value


def test_a_year_in_seconds_needs_no_more_than_2_500_bins() -> None:
    assert index(366 * 86_400) < 2_500


def test_nothing_negative_has_a_bin() -> None:
    with pytest.raises(ValueError, match="no negative"):
        index(-1)


@pytest.mark.parametrize(
    ("permille", "expected"), [(0, 10), (1, 10), (500, 20), (501, 30), (750, 30), (1_000, 40)]
)
def test_a_quantile_is_the_value_at_the_nearest_rank(permille: int, expected: int) -> None:
    assert quantile({10: 1, 20: 1, 30: 1, 40: 1}, permille) == expected


def test_of_nothing_there_is_no_quantile_and_no_ratio() -> None:
    assert quantile({}, 500) is None
    assert quantile({7: 0}, 500) is None
    assert ratio(5, 0) is None


def test_a_ratio_is_divided_once_and_rounded_to_even() -> None:
    assert ratio(1, 3, 100) == 33.333333
    assert ratio(-1, 3, 100) == -33.333333
    assert ratio(0, 7) == 0.0


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return instant(datetime(year, month, day, hour, minute, tzinfo=UTC))


def test_thanksgiving_and_the_weekend_are_no_work() -> None:
    wednesday, monday = at(2026, 11, 25, 21), at(2026, 11, 30, 15)

    # 16:00 to 17:00, all of Friday, and 9:00 to 10:00.
    assert worked_seconds(NEW_YORK, wednesday, monday) == (1 + 8 + 1) * HOUR


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 5, 1), 24)]
)
def test_the_day_of_new_clocks_is_shorter_or_longer(day: date, hours: int) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    start, end = (instant(midnight + timedelta(days=n, hours=-12)) for n in (0, 2))

    assert worked_seconds(ROUND_THE_CLOCK, start, end) == 48 * HOUR
    assert sum(until - since for since, until in ROUND_THE_CLOCK.spans(day)) == hours * HOUR * 10**6


def test_backwards_nothing_is_worked() -> None:
    assert worked_seconds(NEW_YORK, at(2026, 11, 25, 21), at(2026, 11, 24)) == 0
    assert worked_seconds(None, 2, 1) == 0


def test_what_is_due_lies_where_so_much_was_worked() -> None:
    wednesday = at(2026, 11, 25, 21)

    assert due_at(NEW_YORK, wednesday, 2 * HOUR) == at(2026, 11, 27, 15)
    assert due_at(NEW_YORK, wednesday, HOUR) == at(2026, 11, 25, 22)
    assert due_at(NEW_YORK, wednesday, 0) == wednesday


def test_due_and_worked_agree() -> None:
    rng = Random(2)
    for _ in range(200):
        start = at(2026, 10, 1) + rng.randrange(90 * 86_400) * 10**6
        seconds = rng.randrange(1, 100 * HOUR)
        due = due_at(NEW_YORK, start, seconds)
        assert due is not None
        assert worked_seconds(NEW_YORK, start, due) == seconds


def test_who_never_works_is_never_late() -> None:
    assert due_at(Calendar("UTC", {}), at(2026, 1, 1), 1) is None
