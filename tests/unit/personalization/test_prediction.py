"""The published figures of CDNOW come out for one customer at a time."""

from datetime import timedelta

import pytest
from rapport_events import wire
from rapport_personalization.domain import prediction
from rapport_personalization.domain.fold import folded
from rapport_personalization.domain.prediction import Bought, Buying, Spending, bought, forecast

from tests.support.decisions import ADA, DAY, NOON, moment

WEEKS = Buying(0.242595, 4.413602, 0.792922, 2.425907)
DAYS = WEEKS._replace(alpha=WEEKS.alpha * 7)
SPENDING = Spending(6.2496, 3.7442, 1_544.35)


def a_buyer(x: int, t_x: float, age: float) -> Bought:
    # The published customer is told in weeks and their fractions.
    return Bought(x, t_x, age)  # type: ignore[arg-type]


def test_the_published_customer_buys_again_as_published() -> None:
    assert prediction.expected(WEEKS, a_buyer(2, 30.43, 38.86), 39) == pytest.approx(
        1.226, abs=5e-4
    )


@pytest.mark.parametrize(("weeks", "orders"), [(1, 0.0532), (78, 1.858)])
def test_anybody_new_buys_again_as_published(weeks: int, orders: float) -> None:
    assert prediction.expected(WEEKS, Bought(0, 0, 0), weeks) == pytest.approx(orders, abs=6e-4)


def test_who_bought_once_has_not_left_for_all_we_know() -> None:
    once = Bought(0, 0, 400)

    assert prediction.alive(DAYS, once) == 1.0
    assert prediction.churn_risk(DAYS, once, 90) > 0.8


def test_silence_after_many_purchases_says_more_than_after_few() -> None:
    often, seldom = Bought(20, 100, 300), Bought(1, 100, 300)

    assert prediction.alive(DAYS, often) < prediction.alive(DAYS, seldom)


def test_the_median_next_purchase_is_where_the_risk_is_a_half() -> None:
    often = Bought(8, 266, 273)
    days = prediction.days_to_next(DAYS, often, 0.5)

    assert days is not None
    assert prediction.churn_risk(DAYS, often, days) == pytest.approx(0.5)
    assert prediction.days_to_next(DAYS, Bought(8, 35, 273), 0.5) is None


@pytest.mark.parametrize("one", [Bought(500, 630, 637, 50_000), Bought(3_000, 10, 4_000, 1)])
def test_a_long_history_overflows_nothing(one: Bought) -> None:
    found = forecast(DAYS, SPENDING, one)

    assert 0 <= found.churn_risk <= 1
    assert found.value is not None
    assert found.value >= 0


def test_where_the_formula_is_singular_it_is_continuous() -> None:
    at, beside = (
        prediction.expected(WEEKS._replace(a=a), Bought(2, 30, 38), 39) for a in (1.0, 1.000_01)
    )

    assert at == pytest.approx(beside, rel=1e-4)


def test_value_is_discounted_orders_times_what_is_spent() -> None:
    one = Bought(2, 213, 272, 6_000)
    undiscounted = prediction.expected(DAYS, one, 360) * prediction.expected_amount(SPENDING, one)

    found = forecast(DAYS, SPENDING, one)

    assert found.value is not None
    assert 0.85 * undiscounted < found.value < undiscounted
    assert forecast(DAYS, SPENDING, one, margin=0.5).value == pytest.approx(found.value / 2, abs=1)


def test_where_the_population_has_no_mean_it_is_what_was_seen() -> None:
    strange = Spending(0.1, 0.5, 100.0)

    assert prediction.expected_amount(strange, Bought(2, 10, 20, 6_000)) == 3_000
    assert prediction.expected_amount(strange, Bought(0, 0, 20)) == 0


def test_an_occasion_is_a_day_with_something_left_of_it() -> None:
    customer = folded(
        ADA,
        [
            moment(wire.OrderPlaced(order="o1", amount=100)),
            moment(wire.OrderPlaced(order="o2", amount=50), NOON + timedelta(hours=2)),
            moment(wire.OrderPlaced(order="o3", amount=70), NOON + 10 * DAY),
            moment(wire.OrderPlaced(order="o4", amount=70), NOON + 20 * DAY),
            moment(wire.OrderRefunded(order="o4", refund="r"), NOON + 21 * DAY),
        ],
    )

    assert bought(customer.orders.values(), NOON + 30 * DAY) == Bought(1, 10, 29, 70)
    assert bought(customer.orders.values(), NOON) is None


@pytest.mark.parametrize("wrong", [{}, {"r": -1.0}, {"r": 0.0}, {"r": float("inf")}])
def test_parameters_that_cannot_be_predict_nothing(wrong: dict[str, float]) -> None:
    told = DAYS._asdict()

    assert prediction.buying_of(told) == DAYS
    assert prediction.spending_of(SPENDING._asdict()) == SPENDING
    assert prediction.buying_of({**told, **wrong} if wrong else wrong) is None


def test_who_bought_today_is_as_of_today() -> None:
    today = Bought(0, 0, -1)

    assert forecast(DAYS, SPENDING, today) == forecast(DAYS, SPENDING, Bought(0, 0, 0))
