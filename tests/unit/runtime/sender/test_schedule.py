"""When a message is tried again."""

import pytest
from rapport_runtime.sender.schedule import DELAYS, delay_after


def test_waits_grow_from_seconds_to_a_day() -> None:
    waits = [delay_after(attempt, None, dice=0) for attempt in range(1, len(DELAYS) + 1)]

    assert waits == [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]


def test_after_ten_attempts_nobody_tries_again() -> None:
    assert delay_after(10, None, dice=0) is None


def test_what_failed_at_once_does_not_come_again_at_once() -> None:
    assert delay_after(1, None, dice=0) != delay_after(1, None, dice=1)


@pytest.mark.parametrize(
    ("asked", "waited"), [(60.0, 60.0), (1.0, 5.0), (10.0**9, 86_400.0), (0.0, 5.0)]
)
def test_the_other_side_may_ask_for_more_time_up_to_a_day(asked: float, waited: float) -> None:
    assert delay_after(1, asked, dice=0) == waited
