"""How long customers wait until somebody has got back to them."""

from datetime import datetime
from itertools import permutations

import pytest
from rapport_events import wire
from rapport_metrics.domain.happening import Happening
from rapport_metrics.domain.instants import DAY, HOUR, moment
from rapport_metrics.domain.own import Options
from rapport_metrics.domain.told import By

from tests.support.kpi_memory import Memory
from tests.support.kpi_told import day_of, told, totals
from tests.support.kpi_worlds import START


def opened(due: int | None = None, owner: str | None = "care") -> wire.Data:
    until: datetime | None = None if due is None else moment(START + due)
    return wire.LoopOpened(loop="l", survey="v", owner=owner, due=until)


def closed(
    *, informed: bool | None = True, outcome: str = "solved", owner: str | None = "eve"
) -> wire.Data:
    return wire.LoopClosed(loop="l", survey="v", owner=owner, outcome=outcome, informed=informed)


def test_a_follow_up_counts_when_it_is_closed() -> None:
    memory = told([(0, opened(due=2 * DAY)), (DAY + HOUR, closed())])

    found = totals(memory)
    assert found["loop_time"] == (25 * 3_600, 1)
    assert found["loop_informed"] == found["loop_in_time"] == (1, 1)
    assert day_of(memory, "loop_time") == 1
    assert {cell.dims.agent for cell in memory.cells} == {"eve"}


def test_an_open_follow_up_counts_nowhere_yet() -> None:
    assert totals(told([(0, opened(due=HOUR))])) == {}


def test_a_follow_up_that_nobody_has_heard_of_opening_is_held() -> None:
    assert totals(told([(0, closed())])) == {}


@pytest.mark.parametrize("outcome", ["corrected", "erased"])
def test_a_follow_up_that_is_needed_no_more_counts_nowhere(outcome: str) -> None:
    assert totals(told([(0, opened(due=HOUR)), (DAY, closed(outcome=outcome))])) == {}


def test_a_follow_up_may_be_late_and_leave_the_customer_in_the_dark() -> None:
    found = totals(told([(0, opened(due=HOUR)), (2 * HOUR, closed(informed=None))]))

    assert (found["loop_informed"], found["loop_in_time"]) == ((0, 1), (0, 1))


def test_without_a_due_time_nothing_is_late() -> None:
    assert "loop_in_time" not in totals(told([(0, opened()), (DAY, closed())]))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_whatever_order_it_is_told_the_first_closing_counts(order: tuple[int, ...]) -> None:
    story = [(0, opened()), (DAY, closed()), (2 * DAY, closed(informed=False, owner="tom"))]

    memory = told([story[number] for number in order])

    assert totals(memory)["loop_time"] == (86_400, 1)
    assert {cell.dims.agent for cell in memory.cells} == {"eve"}


def test_what_an_erased_person_was_owed_is_taken_back_where_all_is() -> None:
    story = [(0, opened()), (HOUR, closed()), (DAY, wire.CustomerErased())]
    purging, keeping = Memory(Options(purge_erased=True)), Memory()
    for number, (at, data) in enumerate(story):
        by = By(START + at, number.to_bytes(2, "big"), None, "ann")
        for memory in (purging, keeping):
            memory.take([Happening(by, data)])

    assert "loop_time" not in totals(purging)
    assert totals(keeping)["loop_time"] == (3_600, 1)
