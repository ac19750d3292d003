"""How sure a number is."""

import pytest
from rapport_metrics.domain.interval import net_promoter, wilson


@pytest.mark.parametrize(
    ("num", "den", "low", "high"),
    [
        # Newcombe (1998), table I: the score method without continuity correction.
        (81, 263, 25.53, 36.62),
        (15, 148, 6.24, 16.05),
        (0, 20, 0.0, 16.11),
        (1, 29, 0.61, 17.18),
    ],
)
def test_shares_have_the_published_intervals_of_wilson(
    num: int, den: int, low: float, high: float
) -> None:
    found = wilson(num, den)

    assert found == pytest.approx((low, high), abs=0.005)


def test_nothing_and_what_is_no_share_have_no_interval() -> None:
    assert wilson(0, 0) is None
    assert wilson(12, 10) is None
    assert wilson(-1, 10) is None
    assert net_promoter(0, 0, 0) is None


def test_a_score_is_off_by_two_of_its_standard_errors() -> None:
    # 50 promoters, 20 detractors of 100: NPS 30, standard error sqrt(0.7 - 0.09) * 10 = 7.81.
    assert net_promoter(50, 20, 100) == pytest.approx((14.692, 45.308), abs=0.001)


def test_a_score_of_promoters_only_is_not_above_a_hundred() -> None:
    assert net_promoter(3, 0, 3) == (100.0, 100.0)
