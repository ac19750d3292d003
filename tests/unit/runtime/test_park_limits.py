"""When it is no longer the data."""

import pytest
from aiokafka import TopicPartition
from rapport_runtime.parked import TooManyParkedError, check_limits
from rapport_runtime.settings import WorkerSettings

PLACE = TopicPartition("t", 0)
LIMITS = WorkerSettings(park_run=50, park_share=0.05)


@pytest.mark.parametrize(
    "offsets",
    [
        range(50),
        [*range(25), *range(30, 55)],
        range(0, 100_000, 20),
        [7],
    ],
)
def test_a_few_bad_events_are_parked(offsets: list[int]) -> None:
    check_limits(PLACE, list(offsets), LIMITS)


@pytest.mark.parametrize(
    ("offsets", "limit"),
    [
        (range(100, 151), "51 events in a row"),
        (range(0, 1_000, 19), "51 of the last 1000 events"),
        ([*range(0, 100_000, 20), 99_981], "51 of the last 1000 events"),
    ],
)
def test_more_than_that_halts_the_projector(offsets: list[int], limit: str) -> None:
    with pytest.raises(TooManyParkedError, match=limit):
        check_limits(PLACE, list(offsets), LIMITS)
