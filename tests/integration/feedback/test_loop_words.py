"""What the log says of follow-ups, which a restored database does not know."""

import pytest

from tests.support.answers import Fact, facts, somebody
from tests.support.events import NOON, happened, told_again
from tests.support.feedback_house import House
from tests.support.loops import act, loops, the_loop


async def test_who_took_a_follow_up_has_it_after_a_restore(house: House) -> None:
    ada = await somebody(house)
    survey = await ada.answer(2)
    for owner in ("ben", "eve"):
        await act(house, "assign", owner=owner)
    query = "SELECT loop, owner, state, touched_at FROM loop"
    before = await house.rows(query)

    told = await forget_all(house)
    await house.tell(*(one.record for one in told))

    assert await house.rows(query) == before
    assert before[0]["owner"] == "eve"
    await ada.answer(9, survey=survey)
    assert (await the_loop(house))["state"] == "open"
    assert await house.rows("SELECT * FROM loop_word") == []


async def test_our_own_words_on_follow_ups_change_nothing_here(house: House) -> None:
    await (await somebody(house)).answer(2)
    await act(house, "assign", owner="ben")
    await act(house, "close", outcome="solved", informed=True)
    before = await house.rows("SELECT * FROM loop")

    await house.tell(*(one.record for one in await facts(house)))

    assert await house.rows("SELECT * FROM loop") == before
    assert await house.rows("SELECT * FROM loop_word") == []


@pytest.mark.parametrize("comes_first", ["word", "answer", "both"])
async def test_what_came_of_a_publishers_answer_is_known_in_whatever_order_it_is_read(
    house: House, comes_first: str
) -> None:
    ada = await somebody(house)
    low = happened("survey.responded", ada.subject, NOON, survey="v-1", kind="nps", score=1)
    await house.tell(low)
    await act(house, "assign", owner="ben")
    await act(house, "close", outcome="solved", informed=True)
    before = await the_loop(house)
    words = [one.record for one in await forget_all(house)]

    match comes_first:
        case "word":
            await house.tell(*words)
            await house.tell(low)
        case "answer":
            await house.tell(low)
            await house.tell(*words)
        case _:
            await house.tell(low, *reversed(words))

    after = await the_loop(house)
    assert (after["state"], after["outcome"], after["informed"]) == ("closed", "solved", True)
    assert (after["owner"], after["closed_at"]) == ("ben", before["closed_at"])
    assert await house.rows("SELECT * FROM loop_word") == []


async def test_who_took_it_before_the_score_rose_still_has_it(house: House) -> None:
    ada = await somebody(house)
    survey = await ada.answer(2)
    await act(house, "assign", owner="ben")
    await ada.answer(9, survey=survey)
    first, *rest = await forget_all(house)

    await house.tell(first.record)
    await house.tell(*(one.record for one in rest))

    one = await the_loop(house)
    assert (one["state"], one["owner"]) == ("open", "ben")


async def test_of_the_words_of_others_nothing_is_kept(house: House) -> None:
    ada = await somebody(house)
    closed = happened("loop.closed", ada.subject, NOON, loop="theirs", outcome="solved")
    assigned = happened("task.assigned", ada.subject, NOON, task="theirs", assignee="ben")

    await house.tell(closed, assigned, told_again(closed))

    assert await loops(house) == []
    assert await house.rows("SELECT * FROM loop_word") == []


async def forget_all(house: House) -> list[Fact]:
    """What was told, of which the database knows nothing any more."""
    told = await facts(house)
    await house.forget("answer", "loop", "classification", "outbox", "inbox")
    return told
