"""What the people of both arms spent, and whether the difference may be chance."""

import pytest
from rapport_events import wire
from rapport_personalization.domain.goals import count
from rapport_personalization.domain.lift import Count
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.revenue import Sums, sums, two_sided, welch
from rapport_personalization.domain.spending import Spending, spent

from tests.support.decisions import ADA, BOB, DAY, HOUR, NOON, POLICIES, moment
from tests.unit.personalization.test_lift import BOUGHT, a_unit


def test_revenue_is_compared_without_supposing_that_both_arms_spread_alike() -> None:
    """The figures are those of `scipy.stats.ttest_ind(..., equal_var=False)`."""
    first = [275, 210, 190, 237, 165, 220, 181, 199, 234, 230, 183, 236, 221, 233, 238]
    second = [271, 220, 208, 234, 213, 263, 253, 271, 248, 250, 242, 252, 236, 261, 279]
    found = welch(sums(first), sums(second))

    assert found is not None
    assert found.difference == pytest.approx(sum(first) / 15 - sum(second) / 15)
    assert found.t == pytest.approx(-3.234847289518395)
    assert found.freedom == pytest.approx(25.882270676785513)
    assert found.p == pytest.approx(0.003316246939571362)


@pytest.mark.parametrize(
    ("t", "freedom", "p"),
    [(2.228139, 10, 0.05), (12.7062, 1, 0.05), (1.959964, 1e9, 0.05), (0.0, 5, 1.0),
     (3.169273, 10, 0.01)],
)  # fmt: skip
def test_students_t_is_that_of_the_tables(t: float, freedom: float, p: float) -> None:
    assert two_sided(t, freedom) == pytest.approx(p, abs=2e-6)


def test_one_person_spends_no_average() -> None:
    assert welch(sums([100]), sums([100, 200])) is None
    assert welch(sums([100, 100]), sums([100, 100])) is None


def bought(order: str, hours: int, amount: int, currency: str | None = "EUR") -> Moment:
    placed = wire.OrderPlaced(order=order, amount=amount, currency=currency)
    return moment(placed, NOON + hours * HOUR, name=order)


def test_what_was_spent_is_what_is_left_of_the_orders_in_time() -> None:
    moments = [
        bought("before", 0, 1),
        bought("first", 1, 1_000),
        bought("last", 72, 200),
        bought("too late", 73, 5_000),
        bought("abroad", 5, 700, "CHF"),
        bought("cancelled", 6, 9_000),
        bought("in what?", 7, 90, None),
        moment(wire.OrderCancelled(order="cancelled"), NOON + 8 * HOUR),
        # What comes back counts whenever it does, of whatever was bought in time.
        moment(wire.OrderRefunded(order="first", refund="r", amount=300), NOON + 90 * HOUR),
        moment(wire.OrderRefunded(order="before", refund="r", amount=1), NOON + 2 * HOUR),
    ]

    assert spent([NOON], 3 * DAY, moments) == {"EUR": 900, "CHF": 700}
    assert spent([NOON, NOON + HOUR], 3 * DAY, moments) == {"EUR": 5_900, "CHF": 700}


def test_revenue_is_that_of_people_and_not_of_decisions() -> None:
    told = [a_unit("treated"), a_unit("treated"), a_unit("control", BOB)]
    found = count(
        BOUGHT,
        [(one, None) for one in told],
        {ADA: [bought("o", 1, 50)], BOB: []},
        NOON + 4 * DAY,
        POLICIES,
    )

    (revenue,) = found.spending.compare()
    assert found.treated == Count(2, 2)
    assert (revenue.currency, revenue.treated, revenue.control) == (
        "EUR",
        Sums(1, 50, 2_500),
        Sums(1, 0, 0),
    )
    assert (revenue.welch, revenue.verdict) == (None, "not_yet")


def test_revenue_of_parts_adds_up_and_is_judged_in_its_own_money() -> None:
    amounts = {"treated": [0, 900, 1_000] * 40, "control": [0, 0, 300] * 40}
    whole, parts = Spending(), Spending()
    for arm, each in amounts.items():
        for amount in each:
            whole.add(arm, {"EUR": amount} if amount else {})
            part = Spending()
            part.add(arm, {"EUR": amount} if amount else {})
            parts += part
    whole.add("control", {"CHF": 5})

    francs, euros = whole.compare()
    (added,) = parts.compare()
    assert added.treated == euros.treated == sums(amounts["treated"])
    assert added.control == sums(amounts["control"])
    assert euros.control.people == francs.control.people == 121
    assert added.welch == welch(sums(amounts["treated"]), sums(amounts["control"]))
    assert (added.verdict, francs.verdict) == ("better", "no_difference_seen")
    assert [one.verdict for one in parts.compare(121)] == ["not_yet"]
