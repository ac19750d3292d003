"""Which scores are told: those that cross a line, and no others."""

from collections.abc import Mapping

import pytest
from rapport_events import wire
from rapport_personalization.domain.fold import folded
from rapport_personalization.domain.prediction import Bought, Buying
from rapport_personalization.domain.scoring import Model, Models, lines, look, score

from tests.support.decisions import ADA, DAY, NOON, moment, shipped

RISK = 0.8
LINES = {"churn_risk": {"0.8": RISK}, "clv": {"top": 1_000.0}}
MODELS = Models(Buying(0.24, 30.9, 0.79, 2.43), Model(b"k", "bgnbd", NOON, NOON, currency="EUR"))


def after(*risks: float, clv: float | None = 500.0) -> list[tuple[str, ...]]:
    """What is told of somebody, night by night."""
    above: Mapping[str, Mapping[str, bool]] = {}
    told: list[tuple[str, ...]] = []
    for risk in risks:
        found = look(above, {"churn_risk": risk, "clv": clv}, LINES)
        above = found.above
        told.append(() if found.is_first else found.told)
    return told


def test_a_risk_is_told_when_it_rises_above_the_line_with_what_is_at_stake() -> None:
    assert after(0.7, 0.79, 0.8, 0.9) == [(), (), ("clv", "churn_risk"), ()]
    assert after(0.7, 0.8, clv=None) == [(), ("churn_risk",)]


def test_who_wavers_about_the_line_is_told_of_once() -> None:
    assert after(0.7, 0.81, 0.79, 0.81, 0.77, 0.82) == [(), ("clv", "churn_risk"), *[()] * 4]


def test_a_risk_that_is_over_is_told_and_may_come_again() -> None:
    both = ("clv", "churn_risk")

    assert after(0.7, 0.81, 0.5, 0.85) == [(), both, both, both]


def test_a_value_is_told_alone_when_it_alone_crosses_its_line() -> None:
    before = look({}, {"churn_risk": 0.1, "clv": 900.0}, LINES)

    found = look(before.above, {"churn_risk": 0.1, "clv": 1_000.0}, LINES)

    assert found.told == ("clv",)


@pytest.mark.parametrize(
    ("risk", "clv", "told"),
    [(0.9, 2_000.0, ("clv", "churn_risk")), (0.9, 500.0, ()), (0.1, 2_000.0, ()), (0.9, None, ())],
)
def test_of_who_is_above_from_the_beginning_only_the_valued_are_told(
    risk: float, clv: float | None, told: tuple[str, ...]
) -> None:
    found = look({}, {"churn_risk": risk, "clv": clv}, LINES)

    assert (found.told, found.is_first) == (told, True)


def test_a_new_line_is_crossed_by_nobody_on_its_first_night() -> None:
    before = look({}, {"churn_risk": 0.7}, LINES)

    found = look(before.above, {"churn_risk": 0.7}, {"churn_risk": {"0.6": 0.6}, "clv": {}})

    assert found.told == ()


def test_the_lines_of_live_triggers_are_looked_at_too() -> None:
    found = lines([0.5], 900.0, shipped().triggers)

    assert found == {"churn_risk": {"0.5": 0.5, "0.8": 0.8}, "clv": {"top": 900.0}}


def test_a_score_is_of_what_happened_before_the_day() -> None:
    customer = folded(
        ADA,
        [
            moment(wire.OrderPlaced(order="o1", amount=100, currency="EUR"), NOON - 10 * DAY),
            moment(wire.OrderPlaced(order="o2", amount=100, currency="EUR"), NOON),
        ],
    )

    found = score(MODELS, customer.orders.values(), NOON.date())

    assert found.bought == Bought(0, 0, 9, 0)
    assert found.forecast is not None
    assert found.forecast.value is None


def test_it_is_said_why_there_is_no_score() -> None:
    yen = folded(ADA, [moment(wire.OrderPlaced(order="o", amount=9, currency="JPY"))])

    why = [
        score(models, orders, (NOON + DAY).date()).why
        for models, orders in (
            (None, yen.orders.values()), (MODELS, yen.orders.values()), (MODELS, ()),
        )
    ]  # fmt: skip

    assert why == ["no_model", "other_currency", "never_bought"]
