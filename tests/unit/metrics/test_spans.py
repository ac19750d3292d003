"""Which totals of whole days a reader may take instead of those of hours."""

from hypothesis import given
from hypothesis import strategies as st
from rapport_metrics.spans import MINUTES_A_DAY, divide

DAY = MINUTES_A_DAY
minutes = st.integers(0, 6 * DAY)
full_hours = st.integers(0, 6 * 24).map(lambda hour: hour * 60)
midnights = st.integers(0, 6).map(lambda day: day * DAY)


def test_a_month_of_days_is_read_by_days_alone() -> None:
    edges = [day * DAY for day in range(30)]

    assert divide(edges, 30 * DAY, 30 * DAY) == ([], [(0, 30)])


def test_days_that_begin_within_one_of_utc_are_read_by_hours() -> None:
    assert divide([60, 60 + DAY], 60 + 2 * DAY, 60 + 2 * DAY) == ([(60, 60 + 2 * DAY)], [])


def test_a_month_that_begins_within_a_day_is_read_by_hours_there_and_by_days_elsewhere() -> None:
    fine, whole = divide([60, 3 * DAY + 60], 6 * DAY, 6 * DAY)

    assert fine == [(60, DAY), (3 * DAY, 4 * DAY)]
    assert whole == [(1, 3), (4, 6)]


def test_units_that_are_too_young_are_told_apart_by_the_minute() -> None:
    assert divide([0], 5 * DAY, 3 * DAY + 7) == ([(3 * DAY, 5 * DAY)], [(0, 3)])


@given(
    st.lists(minutes | full_hours | midnights, min_size=1, max_size=6, unique=True),
    minutes,
    minutes | midnights,
)
def test_every_minute_is_read_once_and_no_day_lies_in_two_windows(
    edges: list[int], length: int, mature_before: int
) -> None:
    edges.sort()
    end = edges[-1] + length

    fine, whole = divide(edges, end, mature_before)

    read = [minute for since, until in fine for minute in range(since, until)]
    days = [day for since, until in whole for day in range(since, until)]
    read += [minute for day in days for minute in range(day * DAY, (day + 1) * DAY)]
    assert sorted(read) == list(range(edges[0], end))
    assert all((day + 1) * DAY <= mature_before for day in days)
    assert not any(day * DAY < edge < (day + 1) * DAY for day in days for edge in edges)
