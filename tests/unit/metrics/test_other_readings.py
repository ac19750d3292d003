"""Readings of tickets and surveys that a deployment may choose, as examples."""

from itertools import permutations
from typing import Any

import msgspec
import pytest
from rapport_events import wire
from rapport_metrics.domain import service
from rapport_metrics.domain.instants import DAY, HOUR
from rapport_metrics.domain.own import Options
from rapport_metrics.domain.service import ServiceSettings

from tests.support.kpi_told import MINUTE, Told, day_of, told, totals

CREATED = wire.TicketCreated(ticket="t", priority="normal")
RESOLVED = wire.TicketResolved(ticket="t")
REOPENED = wire.TicketReopened(ticket="t")
PENDING = wire.TicketPending(ticket="t")
ASKS = wire.TicketMessage(ticket="t", direction="in")
REPLIES = wire.TicketMessage(ticket="t", direction="out", agent="ben")


def chosen(**settings: Any) -> Options:  # noqa: ANN401 - settings of any kind
    return Options(service=msgspec.structs.replace(service.DEFAULTS, **settings))


def next_reply_within(seconds: int) -> Options:
    targets = msgspec.structs.replace(service.DEFAULT_TARGETS, next_reply={"normal": seconds})
    return Options(service=ServiceSettings(targets=targets))


def in_any_order(events: list[Told], options: Options) -> dict[str, tuple[int, int]]:
    """What the events add up to, which no order of arrival changes."""
    orders = list(permutations(events)) if len(events) < 6 else [events, events[::-1]]
    [found] = {tuple(sorted(totals(told(one, options=options)).items())) for one in orders}
    return dict(found)


@pytest.mark.parametrize(("late", "met"), [(HOUR, 1), (HOUR + 1, 0)])
def test_a_further_reply_is_in_time_until_it_is_due(late: int, met: int) -> None:
    events = [(0, CREATED), (MINUTE, REPLIES), (2 * HOUR, ASKS), (2 * HOUR + late, REPLIES)]

    assert in_any_order(events, next_reply_within(3_600))["sla_next"] == (met, 1)


def test_who_waits_for_the_first_reply_waits_for_no_further_one() -> None:
    events = [(0, CREATED), (MINUTE, ASKS), (9 * HOUR, REPLIES)]

    assert "sla_next" not in in_any_order(events, next_reply_within(3_600))


def test_several_words_are_one_wait_from_the_first_of_them() -> None:
    events = [
        (0, CREATED), (MINUTE, REPLIES), (HOUR, ASKS), (HOUR + 50 * MINUTE, ASKS),
        (HOUR + 61 * MINUTE, REPLIES), (4 * HOUR, ASKS), (4 * HOUR + MINUTE, REPLIES),
    ]  # fmt: skip

    assert in_any_order(events, next_reply_within(3_600))["sla_next"] == (1, 2)


def test_a_resolution_ends_the_wait_and_thanks_for_it_begin_none() -> None:
    events = [
        (0, CREATED), (MINUTE, REPLIES), (HOUR, ASKS), (HOUR + MINUTE, RESOLVED),
        (2 * HOUR, ASKS),
    ]  # fmt: skip

    assert in_any_order(events, next_reply_within(3_600))["sla_next"] == (1, 1)


def test_a_word_that_nobody_answers_is_a_breach_when_the_reply_was_due() -> None:
    events = [(0, CREATED), (MINUTE, REPLIES), (HOUR, ASKS)]

    found = told(events, options=next_reply_within(3 * 86_400))

    assert totals(found)["sla_next"] == (0, 1)
    assert day_of(found, "sla_next") == 3


def test_without_a_target_further_replies_are_no_service_level() -> None:
    events = [(0, CREATED), (MINUTE, REPLIES), (HOUR, ASKS)]

    assert "sla_next" not in totals(told(events))


@pytest.mark.parametrize(("days", "met"), [(3, 1), (4, 0)])
def test_reopening_begins_the_time_for_a_resolution_anew(days: int, met: int) -> None:
    events = [
        (0, CREATED), (HOUR, RESOLVED), (10 * DAY, REOPENED), ((10 + days) * DAY, RESOLVED),
    ]  # fmt: skip

    assert in_any_order(events, chosen(restart_when_reopened=True))["sla_res"] == (met, 1)
    assert in_any_order(events, chosen())["sla_res"] == (1, 1)


def test_reopened_and_not_resolved_again_is_a_breach_when_it_is_due_again() -> None:
    events = [(0, CREATED), (HOUR, RESOLVED), (10 * DAY, REOPENED)]

    found = told(events, options=chosen(restart_when_reopened=True))

    assert totals(found)["sla_res"] == (0, 1)
    assert day_of(found, "sla_res") == 13


def test_what_was_resolved_too_late_and_reopened_is_judged_by_the_new_time() -> None:
    events = [(0, CREATED), (9 * DAY, RESOLVED), (10 * DAY, REOPENED), (11 * DAY, RESOLVED)]

    assert in_any_order(events, chosen(restart_when_reopened=True))["sla_res"] == (1, 1)
    assert in_any_order(events, chosen())["sla_res"] == (0, 1)


def test_our_waiting_for_the_customer_is_left_out_of_the_time_to_resolution() -> None:
    events = [(0, CREATED), (HOUR, PENDING), (5 * HOUR, ASKS), (6 * HOUR, RESOLVED)]

    found = in_any_order(events, chosen(resolve_without_pending=True))

    assert (found["ttr_first"], found["ttr_full"]) == ((7_200, 1), (7_200, 1))
    assert in_any_order(events, chosen())["ttr_first"] == (21_600, 1)


def test_resolved_while_we_wait_still_leaves_that_wait_out() -> None:
    events = [(0, CREATED), (HOUR, PENDING), (5 * HOUR, RESOLVED), (7 * HOUR, ASKS)]

    found = in_any_order(events, chosen(resolve_without_pending=True))

    assert found["ttr_first"] == (3_600, 1)


def answer(revision: int = 1, **data: Any) -> wire.Data:  # noqa: ANN401 - the fields of the event
    return wire.SurveyResponded(survey="s", kind="custom", revision=revision, **data)


ASKED = wire.SurveySent(survey="s", kind="custom")


@pytest.mark.parametrize(
    ("said", "counted"),
    [
        ({"choices": {"resolved": ["yes"]}}, (1, 1)),
        ({"choices": {"resolved": ["No"]}}, (0, 1)),
        ({"scores": {"resolved": 1}}, (1, 1)),
        ({"scores": {"resolved": 0}}, (0, 1)),
        ({"choices": {"resolved": ["maybe"]}}, None),
        ({"choices": {"resolved": ["yes", "no"]}}, None),
        ({"scores": {"resolved": 7}}, None),
        ({"choices": {"friendly": ["yes"]}, "score": 5}, None),
    ],
)
def test_customers_say_themselves_whether_it_was_solved(
    said: dict[str, Any], counted: tuple[int, int] | None
) -> None:
    found = totals(told([(0, ASKED), (HOUR, answer(**said))]))

    assert found.get("fcr_survey") == counted


def test_the_last_revision_that_answers_counts_on_its_own_day() -> None:
    events = [
        (0, ASKED), (DAY, answer(1, choices={"resolved": ["yes"]})),
        (3 * DAY, answer(2, choices={"resolved": ["no"]})), (4 * DAY, answer(3, score=4)),
    ]  # fmt: skip

    for order in permutations(events):
        found = told(order)
        assert totals(found)["fcr_survey"] == (0, 1)
        assert day_of(found, "fcr_survey") == 3


def test_a_survey_of_a_kind_is_asked_the_same_question_beside() -> None:
    sent = wire.SurveySent(survey="s", kind="csat")
    said = wire.SurveyResponded(survey="s", kind="csat", score=5, choices={"resolved": ["yes"]})

    found = totals(told([(HOUR, said), (0, sent)]))

    assert (found["csat"], found["fcr_survey"]) == ((1, 1), (1, 1))


def test_who_was_not_asked_answers_nothing() -> None:
    assert totals(told([(HOUR, answer(choices={"resolved": ["yes"]}))])) == {}
