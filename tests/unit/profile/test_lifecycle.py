"""Where a customer stands, told as days since their orders."""

from datetime import timedelta

import pytest
from rapport_profile.domain.lifecycle import lifecycle, stage

from tests.support.events import NOON, days


@pytest.mark.parametrize(
    ("ordered_days_ago", "expected"),
    [
        ([], "prospect"),
        ([1], "new"),
        ([29.9], "new"),
        ([30], "active"),
        ([59.9], "active"),
        ([60], "at_risk"),
        ([90], "lapsed"),
        ([180], "churned"),
        ([100, 5], "won_back"),
        ([95, 5], "won_back"),
        ([94, 5], "active"),
        ([100, 30], "active"),
        ([150, 100, 50, 5], "loyal"),
        ([180, 100, 50, 5], "loyal"),
        ([180.1, 100, 50, 5], "active"),
        ([400, 300, 200, 100, 5], "won_back"),
    ],
)
def test_the_first_stage_that_fits_is_the_customers(
    ordered_days_ago: list[float], expected: str
) -> None:
    purchases = [NOON - days(ago) for ago in ordered_days_ago]

    assert stage(purchases, NOON) == expected


def test_an_order_counts_only_from_the_instant_after_it() -> None:
    assert stage([NOON], NOON) == "prospect"
    assert stage([NOON], NOON + timedelta(microseconds=1)) == "new"


def test_a_stage_began_when_the_last_boundary_was_passed() -> None:
    order = NOON - days(70)

    assert lifecycle([order], NOON) == ("at_risk", order + days(60))


def test_orders_within_a_stage_do_not_begin_it_anew() -> None:
    first, second = NOON - days(50), NOON - days(10)

    assert lifecycle([first, second], NOON) == ("active", first + days(30))


def test_a_prospect_has_no_beginning() -> None:
    assert lifecycle([], NOON) == ("prospect", None)
