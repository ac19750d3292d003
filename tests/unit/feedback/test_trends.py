"""Trends in integers, and the windows that they are in."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapport_feedback.domain.trends import Share, summarise
from rapport_feedback.domain.windows import Grain, next_start, start_of, starts


def test_nps_is_promoters_less_detractors_of_all() -> None:
    said = summarise({10: 2, 9: 1, 8: 4, 7: 1, 6: 1, 0: 1}, "nps")

    assert said.n == 10
    assert said.nps == Share(1, 10)
    assert said.mean == Share(74, 10)
    assert said.top_box is None


@pytest.mark.parametrize(("kind", "satisfied"), [("csat", 3), ("ces", 2)])
def test_the_top_box_counts_who_was_satisfied(kind: str, satisfied: int) -> None:
    said = summarise({1: 1, 3: 2, 4: 1, 5: 2}, kind)

    assert said.top_box == Share(satisfied, 6)
    assert said.nps is None


def test_questions_beside_the_score_have_a_mean_and_nothing_else() -> None:
    said = summarise({-2: 1, 4: 1}, None)

    assert (said.mean, said.nps, said.top_box) == (Share(2, 2), None, None)


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    sunday = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)

    assert start_of(sunday, "week") == datetime(2026, 2, 23, tzinfo=UTC)
    assert start_of(sunday, "month") == datetime(2026, 3, 1, tzinfo=UTC)
    assert next_start(datetime(2026, 12, 1, tzinfo=UTC), "month") == datetime(
        2027, 1, 1, tzinfo=UTC
    )


@given(
    st.integers(0, 20_000),
    st.integers(1, 3_000),
    st.sampled_from(["day", "week", "month"]),
)
def test_windows_cover_the_span_without_a_gap(first: int, length: int, grain: Grain) -> None:
    start = datetime(1990, 1, 1, tzinfo=UTC) + timedelta(hours=first)
    end = start + timedelta(hours=length)

    found = list(starts(start, end, grain))

    assert found[0] <= start < next_start(found[0], grain)
    assert found[-1] < end <= next_start(found[-1], grain)
    assert all(next_start(a, grain) == b for a, b in pairwise(found))
