"""The worked figures of the specification, and what may be said of small numbers."""

import math

import pytest
from rapport_events import wire
from rapport_personalization.domain.decision import Past
from rapport_personalization.domain.goals import count, is_mature, is_reached
from rapport_personalization.domain.lift import Count, lift, newcombe, planned_size, wilson
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.trigger import Goal

from tests.support.decisions import ADA, BOB, DAY, HOUR, NOON, POLICIES, moment

TREATED, CONTROL = Count(9_000, 540), Count(1_000, 45)


def test_the_worked_example_is_no_proof() -> None:
    found = lift(TREATED, CONTROL, pending=12)

    assert found.uplift == pytest.approx(0.015)
    assert found.relative == pytest.approx(1 / 3)
    assert found.incremental == pytest.approx(135)
    assert found.p == pytest.approx(0.055, abs=5e-4)
    assert found.verdict == "no_difference_seen"
    assert found.pending == 12


def test_the_interval_of_the_worked_example_includes_nothing_at_all() -> None:
    low, high = newcombe(TREATED, CONTROL)
    wald = 0.015 - 1.959964 * math.sqrt(0.06 * 0.94 / 9_000 + 0.045 * 0.955 / 1_000)

    assert low < 0 < 0.015 < high
    assert wald > 0, "which is why the simpler interval will not do"


def test_the_interval_is_the_published_one() -> None:
    """Newcombe (1998), table II, method 10: 56/70 against 48/80."""
    assert newcombe(Count(70, 56), Count(80, 48)) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_a_share_of_nothing_may_be_anything() -> None:
    assert wilson(Count(0, 0)) == (0.0, 1.0)
    assert wilson(Count(10, 0))[0] == 0.0
    assert wilson(Count(10, 10))[1] == pytest.approx(1.0)


def test_five_to_six_percent_needs_eight_thousand_in_each_arm() -> None:
    assert planned_size(0.05, 0.06) == 8_158


@pytest.mark.parametrize(("base", "wanted"), [(0.05, 0.05), (0.0, 0.1), (0.5, 1.0)])
def test_what_cannot_be_planned_is_refused(base: float, wanted: float) -> None:
    with pytest.raises(ValueError, match="different shares"):
        planned_size(base, wanted)


@pytest.mark.parametrize(
    ("treated", "control", "reason"),
    [
        (Count(0, 0), Count(50, 5), "empty"),
        (Count(9_000, 900), Count(99, 20), "100 people"),
        (Count(9_000, 900), Count(200, 4), "5 conversions"),
    ],
)
def test_too_little_is_said_to_be_too_little(treated: Count, control: Count, reason: str) -> None:
    found = lift(treated, control, pending=0)

    assert found.verdict == "not_yet"
    assert reason in found.reason


def test_nobody_peeks_before_the_planned_size() -> None:
    treated, control = Count(9_000, 900), Count(1_000, 50)

    assert lift(treated, control, pending=0).verdict == "better"
    assert lift(treated, control, pending=0, planned=8_158).verdict == "not_yet"
    assert lift(control, treated, pending=0).verdict == "worse"


def test_two_arms_that_all_convert_do_not_differ() -> None:
    found = lift(Count(200, 200), Count(200, 200), pending=0)

    assert (found.z, found.p, found.verdict) == (None, None, "no_difference_seen")


BOUGHT = Goal(name="order.placed", events=frozenset({"order.placed.v1"}), within=3 * DAY)
QUIET = Goal(
    name="no ticket",
    events=frozenset({"ticket.reopened.v1"}),
    within=DAY,
    absent=True,
    key="ticket",
)


def a_unit(arm: str, person: str = ADA) -> Past:
    return Past(
        trigger="cart",
        person=person,
        anchor="c1",
        send_at=NOON,
        rank=1,
        kind="marketing",
        outcome="sent" if arm == "treated" else "holdout",
        arm="treated" if arm == "treated" else "control",
    )


def an_order(after: int) -> Moment:
    return moment(wire.OrderPlaced(order="o1", amount=1), NOON + after * HOUR)


@pytest.mark.parametrize(("hours", "reached"), [(0, False), (1, True), (72, True), (73, False)])
def test_a_goal_counts_in_its_time_only(hours: int, reached: bool) -> None:  # noqa: FBT001
    assert is_reached(BOUGHT, a_unit("treated"), None, [an_order(hours)], POLICIES) is reached


def test_a_goal_that_something_does_not_happen_is_about_one_case() -> None:
    other = moment(wire.TicketReopened(ticket="t2"), NOON + HOUR)
    same = moment(wire.TicketReopened(ticket="t1"), NOON + HOUR)

    assert is_reached(QUIET, a_unit("treated"), "t1", [other], POLICIES)
    assert not is_reached(QUIET, a_unit("treated"), "t1", [other, same], POLICIES)


def test_only_what_is_over_counts_for_either_arm() -> None:
    assert not is_mature(BOUGHT, NOON, NOON + 3 * DAY)

    found = count(
        BOUGHT,
        [(a_unit("treated"), None), (a_unit("control", BOB), None)],
        {ADA: [an_order(1)], BOB: []},
        NOON + 3 * DAY,
        POLICIES,
    )

    assert found.pending == 2
    assert found.treated == found.control == Count(0, 0)


def test_treated_and_left_out_are_counted_by_intention() -> None:
    found = count(
        BOUGHT,
        [(a_unit("treated"), None), (a_unit("control", BOB), None)],
        {ADA: [an_order(1)], BOB: [an_order(2)]},
        NOON + 4 * DAY,
        POLICIES,
    )

    assert found.treated == found.control == Count(1, 1)


def test_who_was_merged_of_both_arms_is_in_neither() -> None:
    found = count(
        BOUGHT,
        [(a_unit("treated"), None), (a_unit("control"), None)],
        {},
        NOON + 4 * DAY,
        POLICIES,
    )

    assert (found.treated, found.control, found.mixed) == (Count(0, 0), Count(0, 0), 1)
