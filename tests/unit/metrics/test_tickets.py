"""What the definitions say of tickets in words, as examples: replies, resolutions, repeats."""

from typing import Any

import pytest
from rapport_events import wire
from rapport_metrics.domain.instants import DAY, HOUR

from tests.support.kpi_told import MINUTE, day_of, told, totals


def created(**data: Any) -> wire.Data:  # noqa: ANN401 - the fields of the event
    return wire.TicketCreated(ticket="t", **data)


def resolved(agent: str | None = None) -> wire.Data:
    return wire.TicketResolved(ticket="t", agent=agent)


REOPENED = wire.TicketReopened(ticket="t")


def said(direction: str = "out", **data: Any) -> wire.Data:  # noqa: ANN401 - as above
    return wire.TicketMessage(ticket="t", direction=direction, **data)


def test_what_is_resolved_before_it_is_created_waits_for_its_beginning() -> None:
    assert totals(told([(2 * HOUR, resolved())])) == {}

    late = totals(told([(2 * HOUR, resolved()), (0, created())]))

    assert late["ttr_first"] == (7_200, 1)


def test_a_resolution_dated_before_the_ticket_resolves_nothing() -> None:
    found = totals(told([(HOUR, created()), (0, resolved())]))

    assert "ttr_first" not in found
    assert found["backlog"] == (1, 0)


def test_resolved_and_reopened_at_one_instant_is_open() -> None:
    found = totals(told([(0, created()), (HOUR, REOPENED), (HOUR, resolved())]))

    assert found["reopen_rate"] == (1, 1)
    assert "ttr_full" not in found


def test_to_resolve_twice_is_to_resolve_once() -> None:
    found = totals(told([(0, created()), (HOUR, resolved()), (2 * HOUR, resolved())]))

    assert (found["ttr_full"], found["backlog"]) == ((3_600, 1), (0, 0))


def test_the_next_resolution_adds_a_longer_one() -> None:
    events = [(0, created()), (HOUR, resolved()), (DAY, REOPENED)]

    open_again, solved = told(events), told([*events, (2 * DAY, resolved())])

    assert "ttr_full" not in totals(open_again)
    assert totals(solved)["ttr_full"] == (2 * 86_400, 1)
    assert totals(solved)["ttr_first"] == (3_600, 1)


@pytest.mark.parametrize(("late", "reopened"), [(0, 1), (1, 0)])
def test_reopened_after_fourteen_days_exactly_still_counts(late: int, reopened: int) -> None:
    found = totals(told([(0, created()), (HOUR, resolved()), (HOUR + 14 * DAY + late, REOPENED)]))

    assert found["reopen_rate"] == (reopened, 1)


def test_only_a_person_in_public_replies() -> None:
    found = totals(
        told(
            [
                (0, created()),
                (MINUTE, said(bot=True)),
                (2 * MINUTE, said(public=False)),
                (3 * MINUTE, said("in")),
                (4 * MINUTE, said(agent="kim")),
            ]
        )
    )

    assert found["frt"] == (240, 1)


@pytest.mark.parametrize("channel", ["phone", "store"])
def test_who_talks_face_to_face_waits_for_no_reply(channel: str) -> None:
    assert "frt" not in totals(told([(0, created()), (MINUTE, said())], channel))


@pytest.mark.parametrize(("late", "met"), [(0, 1), (1, 0)])
def test_done_when_it_is_due_is_met(late: int, met: int) -> None:
    found = totals(told([(0, created(priority="urgent")), (HOUR + late, said())]))

    assert found["sla_frt"] == (met, 1)


def test_without_a_reply_the_breach_is_dated_when_it_was_due() -> None:
    memory = told([(0, created(priority="low"))])

    assert (totals(memory)["sla_frt"], day_of(memory, "sla_frt")) == ((0, 1), 1)


def test_a_reopening_does_not_change_whether_it_was_resolved_in_time() -> None:
    found = totals(told([(0, created()), (HOUR, resolved()), (DAY, REOPENED)]))

    assert found["sla_res"] == (1, 1)


# First contact resolution


@pytest.mark.parametrize(
    ("gap", "expected"), [(7 * DAY, (0, 1)), (7 * DAY + 1, (2, 2)), (DAY, (0, 1))]
)
def test_the_window_of_a_repeated_contact_holds_its_last_instant(
    gap: int, expected: tuple[int, int]
) -> None:
    again = wire.TicketCreated(ticket="u")
    solved = wire.TicketResolved(ticket="u")

    found = totals(told([(0, created()), (1, resolved()), (gap, again), (gap + 1, solved)]))

    assert found["fcr"] == expected


@pytest.mark.parametrize(("late", "enough"), [(0, 1), (1, 0)])
def test_solved_at_the_end_of_the_window_is_solved_in_it(late: int, enough: int) -> None:
    found = totals(told([(0, created()), (7 * DAY + late, resolved())]))

    assert found["fcr"] == (enough, 1)


@pytest.mark.parametrize(("late", "enough"), [(0, 0), (1, 1)])
def test_reopened_at_the_end_of_the_window_is_reopened_in_it(late: int, enough: int) -> None:
    found = totals(told([(0, created()), (1, resolved()), (7 * DAY + late, REOPENED)]))

    assert found["fcr"] == (enough, 1)


def test_another_topic_is_another_chain() -> None:
    other = wire.TicketCreated(ticket="u", topic="delivery")
    solved = wire.TicketResolved(ticket="u")

    found = totals(
        told([(0, created(topic="billing")), (1, resolved()), (DAY, other), (DAY + 1, solved)])
    )

    assert found["fcr"] == (2, 2)


def test_nobody_knows_whether_the_unknown_came_back() -> None:
    again = wire.TicketCreated(ticket="u")

    found = totals(told([(0, created()), (1, resolved()), (DAY, again)], who=None))

    assert found["fcr"] == (1, 2)


# Self-service


@pytest.mark.parametrize(("late", "helped"), [(0, 0), (1, 1)])
def test_who_asks_within_a_day_has_not_helped_themselves(late: int, helped: int) -> None:
    viewed = wire.HelpViewed(session="h", article="returns")

    found = totals(told([(0, viewed), (HOUR, viewed), (DAY + late, created())]))

    assert found["self_service"] == (helped, 1)
