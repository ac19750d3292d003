"""What the definitions say of calls, surveys and orders in words, as examples."""

from itertools import permutations
from typing import Any

import pytest
from rapport_events import wire
from rapport_metrics.domain.instants import DAY, HOUR

from tests.support.kpi_told import MINUTE, day_of, told, totals
from tests.support.kpi_worlds import START

LAST_OF_JANUARY = 26 * DAY
"""Counted from the start of the tests' worlds, 5 January."""


def offered(**data: Any) -> wire.Data:  # noqa: ANN401 - as above
    return wire.CallOffered(call="c", **data)


def answered(wait: int = 10) -> wire.Data:
    return wire.CallAnswered(call="c", wait=wait)


def leg(number: int | None, talk: int, **data: Any) -> wire.Data:  # noqa: ANN401 - as above
    return wire.CallLegEnded(call="c", leg=number, talk=talk, **data)


def test_a_leg_that_is_told_again_replaces_itself() -> None:
    found = totals(
        told([(0, offered()), (10, answered()), (HOUR, leg(1, 60)), (2 * HOUR, leg(1, 90))])
    )

    assert (found["aht"], found["aht_leg"]) == ((90, 1), (90, 1))


def test_a_call_that_is_passed_on_is_one_call_of_two_legs() -> None:
    legs = [leg(1, 60, agent="kim", transferred=True), leg(2, 30, wrap=15, agent="lee")]

    found = totals(told([(0, offered()), (10, answered()), (HOUR, legs[0]), (HOUR, legs[1])]))

    assert (found["aht"], found["aht_leg"], found["transfer_rate"]) == ((105, 1), (105, 2), (1, 1))
    assert found["fcr"] == (0, 1)


def test_a_leg_without_a_number_comes_after_those_with_one() -> None:
    legs = [leg(None, 60, agent="lee"), leg(2_000, 60, agent="kim")]

    memory = told([(0, offered()), (10, answered()), (HOUR, legs[0]), (HOUR, legs[1])])

    assert {cell.dims.agent for cell in memory.cells if cell.metric == "aht"} == {"kim"}


def test_handle_time_is_dated_by_the_last_leg() -> None:
    memory = told([(0, offered()), (10, answered()), (3 * DAY, leg(2, 1)), (DAY, leg(1, 1))])

    assert day_of(memory, "aht") == 3


@pytest.mark.parametrize("first", [0, 1, 2])
@pytest.mark.parametrize(("direction", "prefix"), [("in", ""), ("out", "outbound_")])
def test_a_call_over_the_end_of_a_month_was_passed_on_in_the_month_it_came(
    first: int, direction: str, prefix: str
) -> None:
    began = LAST_OF_JANUARY + 23 * HOUR
    call = [
        (began, offered(direction=direction)),
        (began + 10, answered()),
        (began + 2 * HOUR, leg(1, 60, transferred=True)),
    ]

    memory = told(call[first:] + call[:first])

    assert totals(memory)[f"{prefix}transfer_rate"] == (1, 1)
    assert day_of(memory, f"{prefix}transfer_rate") == LAST_OF_JANUARY // DAY
    assert day_of(memory, f"{prefix}aht") == LAST_OF_JANUARY // DAY + 1


def test_nothing_was_passed_on_of_a_call_that_is_not_known_to_have_come() -> None:
    assert totals(told([(10, answered()), (HOUR, leg(1, 60, transferred=True))])) == {}


@pytest.mark.parametrize(("wait", "expected"), [(4, None), (5, (1, 1)), (60, (1, 1))])
def test_who_hangs_up_at_once_did_not_give_up(wait: int, expected: tuple[int, int] | None) -> None:
    abandoned = wire.CallAbandoned(call="c", wait=wait)

    found = totals(told([(0, offered()), (1, abandoned)], "phone"))

    assert found.get("abandonment") == expected


@pytest.mark.parametrize(("wait", "in_time"), [(20, 1), (21, 0)])
def test_answered_at_the_threshold_is_in_time(wait: int, in_time: int) -> None:
    assert totals(told([(0, offered()), (1, answered(wait))]))["service_level"] == (in_time, 1)


def test_a_call_that_still_rings_counts_only_as_a_contact() -> None:
    assert totals(told([(0, offered())], "phone")) == {"contacts": (1, 1)}


def test_our_own_calls_are_no_contacts() -> None:
    found = totals(told([(0, offered(direction="out")), (9, answered()), (HOUR, leg(1, 60))]))

    assert found.keys() == {"outbound_aht", "outbound_aht_leg", "outbound_transfer_rate"}


def sent(kind: str = "nps", about: str | None = None) -> wire.Data:
    return wire.SurveySent(survey="v", kind=kind, about=about)


def score(value: int, revision: int | None = None, kind: str = "nps") -> wire.Data:
    return wire.SurveyResponded(survey="v", kind=kind, score=value, revision=revision)


def test_a_correction_replaces_the_answer_and_moves_it_to_its_day() -> None:
    memory = told([(0, sent()), (DAY, score(3)), (5 * DAY, score(10, revision=2))])

    assert totals(memory)["nps"] == (1, 1)
    assert day_of(memory, "nps") == 5


def test_a_higher_revision_counts_though_it_is_older() -> None:
    found = totals(told([(0, sent()), (5 * DAY, score(3)), (DAY, score(10, revision=2))]))

    assert found["nps"] == (1, 1)


def test_an_answer_without_a_survey_waits_for_it() -> None:
    assert totals(told([(DAY, score(9))])) == {}

    assert totals(told([(DAY, score(9)), (0, sent())]))["nps"] == (1, 1)


def test_what_is_answered_before_it_is_sent_is_no_response_but_a_score() -> None:
    found = totals(told([(DAY, sent()), (0, score(9))]))

    assert (found["nps"], found["response_rate_nps"]) == ((1, 1), (0, 1))


@pytest.mark.parametrize(("late", "in_time"), [(0, 1), (1, 0)])
def test_an_answer_after_fourteen_days_still_counts_for_the_score(late: int, in_time: int) -> None:
    found = totals(told([(0, sent()), (14 * DAY + late, score(6))]))

    assert (found["nps"], found["response_rate_nps"]) == ((-1, 1), (in_time, 1))


def test_a_relationship_and_a_contact_are_two_numbers() -> None:
    found = totals(told([(0, sent(about="service")), (DAY, score(9))]))

    assert "nps" not in found
    assert found["nps_transactional"] == (1, 1)


@pytest.mark.parametrize(("value", "satisfied"), [(3, 0), (4, 1), (5, 1)])
def test_satisfied_are_the_two_best_answers(value: int, satisfied: int) -> None:
    found = totals(told([(0, sent("csat", "product")), (DAY, score(value, kind="csat"))]))

    assert found["csat"] == found["csat_product"] == (satisfied, 1)
    assert found["csat_mean"] == (value, 1)


# Orders


def order(amount: int | None = 1_000) -> wire.Data:
    return wire.OrderPlaced(order="o", amount=amount, currency="EUR")


def refund(amount: int | None, name: str | None = "r", currency: str | None = None) -> wire.Data:
    return wire.OrderRefunded(order="o", refund=name, amount=amount, currency=currency)


def test_a_refund_before_its_order_waits_for_it() -> None:
    assert totals(told([(0, refund(400))])) == {}

    assert totals(told([(DAY, refund(400)), (0, order())]))["aov"] == (600, 1)


def test_more_than_was_paid_leaves_nothing_and_no_purchase() -> None:
    memory = told([(0, order()), (DAY, refund(1_500))])

    found = totals(memory)
    assert ("aov" in found, found["refunds"]) == (False, (1_500, 1))
    assert memory.purchases == {}


def test_a_refund_restates_the_day_of_the_order() -> None:
    memory = told([(0, order()), (9 * DAY, refund(400))])

    assert (totals(memory)["aov"], day_of(memory, "aov")) == ((600, 1), 0)
    assert day_of(memory, "refunds") == 9


def test_a_refund_that_is_told_twice_counts_once() -> None:
    assert totals(told([(0, order()), (DAY, refund(400)), (2 * DAY, refund(400))]))["aov"] == (
        600,
        1,
    )


@pytest.mark.parametrize("came", list(permutations(range(3))))
def test_a_refund_in_another_currency_takes_nothing_off_the_order(came: tuple[int, ...]) -> None:
    events = [(0, order()), (9 * DAY, refund(900, "r", "JPY")), (9 * DAY, refund(400, "s", "EUR"))]

    memory = told([events[place] for place in came])

    assert totals(memory)["aov"] == (600, 1)
    assert [purchase.net for purchase in memory.purchases.values()] == [600]
    assert day_of(memory, "aov") == 0
    assert {
        (cell.dims.currency, (cell.bucket * MINUTE - START) // DAY): total
        for cell, total in memory.cells.items()
        if cell.metric == "refunds"
    } == {("JPY", 9): (900, 1), ("EUR", 9): (400, 1)}


def test_all_of_it_in_another_currency_is_no_amount() -> None:
    found = totals(told([(0, order()), (DAY, refund(None, currency="JPY"))]))

    assert (found["aov"], "refunds" in found) == ((1_000, 1), False)


def test_all_of_it_in_the_currency_of_the_order_is_its_amount() -> None:
    found = totals(told([(DAY, refund(None, currency="EUR")), (0, order())]))

    assert ("aov" in found, found["refunds"]) == (False, (1_000, 1))
