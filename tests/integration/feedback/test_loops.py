"""Whoever is unhappy is got back to: when follow-ups open, whose they are, when they are moot."""

from datetime import timedelta
from typing import Any

import pytest
from rapport_feedback.heard import take_from_log

from tests.support.answers import facts, somebody
from tests.support.events import NOON, happened, told_again
from tests.support.feedback_house import House
from tests.support.loops import act, due_in, loops, the_loop
from tests.support.surveys import after_case

_LOOP_FACTS = ("loop.opened", "loop.closed", "loop.reminded", "task.created", "task.assigned")
_TASK_FACTS = ("task.completed", "task.cancelled")


async def test_a_low_score_opens_a_follow_up_with_the_answer(house: House) -> None:
    ada = await somebody(house)

    survey = await ada.answer(2, agent="eve", team="tier1")

    loop = await the_loop(house)
    assert (loop["survey"], loop["state"], loop["owner"]) == (survey, "open", "eve")
    assert (loop["score"], loop["kind"], loop["customer"]) == (2, "csat", ada.subject)
    assert due_in(loop) == timedelta(hours=48)
    task, opened = await facts(house, *_LOOP_FACTS)
    assert (task.envelope.type, opened.envelope.type) == ("task.created.v1", "loop.opened.v1")
    assert opened.envelope.subject == task.envelope.subject == ada.subject
    assert (opened.data.task, opened.data.owner, opened.data.score) == (task.data.task, "eve", 2)
    assert (task.data.assignee, task.data.due) == ("eve", opened.data.due)
    assert task.data.ref == f"survey:{survey}"


@pytest.mark.parametrize(
    ("asked", "owner"),
    [
        ({"agent": "eve", "team": "tier1"}, "eve"),
        ({"team": "tier1"}, "tier1"),
        ({}, "care"),
        ({"agent": "eve", "definition": "after_case@1"}, "desk"),
    ],
)
async def test_a_follow_up_is_its_definitions_or_agents_or_teams_or_everybodys(
    house: House, asked: dict[str, Any], owner: str
) -> None:
    await define(house, loop={"at_most": 3, "due_hours": 5, "owner": "desk"})
    ada = await somebody(house)

    await ada.answer(2, **asked)

    loop = await the_loop(house)
    assert loop["owner"] == owner
    assert due_in(loop) == timedelta(hours=5 if "definition" in asked else 48)


async def test_the_threshold_is_the_definitions(house: House) -> None:
    await define(house, loop={"at_most": 4})
    ada = await somebody(house)

    await ada.answer(4, definition="after_case@1")
    await ada.answer(4)
    await ada.answer(4, definition="after_case@2")

    assert (await the_loop(house))["definition"] == "after_case@1"


async def test_a_happy_customer_is_left_alone(house: House) -> None:
    ada = await somebody(house)

    await ada.answer(3)
    await ada.answer(7, kind="nps")
    await ada.answer(4, kind="ces")
    await ada.answer(1, kind="custom")
    await ada.answer(None, "no score")

    assert await loops(house) == []


async def test_who_changes_their_mind_before_anybody_called_need_not_be_called(
    house: House,
) -> None:
    ada = await somebody(house)
    survey = await ada.answer(2)

    await ada.answer(5, survey=survey)

    loop = await the_loop(house)
    assert (loop["state"], loop["outcome"], loop["informed"]) == ("closed", "corrected", False)
    told = [one.envelope.type for one in await facts(house, *_LOOP_FACTS, *_TASK_FACTS)][2:]
    assert told == ["task.cancelled.v1", "loop.closed.v1"]


async def test_a_follow_up_that_somebody_took_stays_theirs_when_the_score_rises(
    house: House,
) -> None:
    ada = await somebody(house)
    survey = await ada.answer(2)
    await act(house, "assign", owner="eve")

    await ada.answer(5, survey=survey)

    assert (await the_loop(house))["state"] == "open"


async def test_a_score_that_falls_opens_one_and_again_after_it_had_risen(house: House) -> None:
    ada = await somebody(house)
    survey = await ada.answer(5)
    await ada.answer(1, survey=survey)
    await ada.answer(5, survey=survey)
    await ada.answer(2, survey=survey)

    states = [(one["state"], one["outcome"], one["score"]) for one in await loops(house)]

    assert sorted(states, key=str) == [("closed", "corrected", 5), ("open", None, 2)]
    opened = await facts(house, "loop.opened")
    assert len({one.data.loop for one in opened}) == len({one.data.task for one in opened}) == 2


async def test_a_further_low_score_is_the_same_follow_up(house: House) -> None:
    ada = await somebody(house)
    survey = await ada.answer(2)

    await ada.answer(1, survey=survey)

    assert (await the_loop(house))["score"] == 1
    assert len(await facts(house, "loop.opened")) == 1


async def test_closed_is_closed_when_a_score_stays_low(house: House) -> None:
    ada = await somebody(house)
    survey = await ada.answer(2)
    await act(house, "close", outcome="solved", informed=True)

    await ada.answer(1, survey=survey)

    assert (await the_loop(house))["outcome"] == "solved"


async def test_low_scores_that_publishers_heard_are_followed_up_unless_they_are_history(
    house: House,
) -> None:
    ada = await somebody(house)
    asked: dict[str, Any] = {"survey": "v-1", "kind": "nps", "score": 3, "team": "tier2"}
    now = happened("survey.responded", ada.subject, **asked)
    history = happened(
        "survey.responded", ada.subject, historical=True, **{**asked, "survey": "v-2"}
    )
    comments = dict.fromkeys((now.key, history.key), "far too expensive")

    async with house.resources.engine.begin() as tx:
        derived = await take_from_log(tx, [now, history], house.settings, comments)

    loop = await the_loop(house)
    assert (loop["survey"], loop["owner"], loop["score"]) == ("v-1", "tier2", 3)
    assert sorted(one.type for one in derived) == [
        "feedback.classified.v1",
        "feedback.classified.v1",
        "loop.opened.v1",
        "task.created.v1",
    ]


async def test_a_correction_that_arrives_before_what_it_corrects_is_the_answer(
    house: House,
) -> None:
    ada = await somebody(house)
    first, second = (
        happened("survey.responded", ada.subject, NOON + timedelta(hours=n), survey="v-1",
                 kind="nps", score=score, revision=n)
        for n, score in ((1, 2), (2, 9))
    )  # fmt: skip

    for record in (second, first, told_again(second)):
        async with house.resources.engine.begin() as tx:
            await take_from_log(tx, [record], house.settings)

    assert await loops(house) == []


async def test_what_comes_back_from_the_log_after_a_restore_is_followed_up_and_not_told_again(
    house: House,
) -> None:
    ada = await somebody(house)
    survey = await ada.answer(2, "My parcel is late")
    told = [one.record for one in await facts(house)]
    async with house.resources.engine.begin() as tx:
        for table in ("answer", "loop", "classification", "outbox"):
            await tx.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - names of ours

    await house.tell(*told)

    assert (await the_loop(house))["survey"] == survey
    assert await facts(house) == []


async def define(house: House, **changes: object) -> None:
    created = await house.post("/v1/surveys", after_case(**changes))
    assert created.status_code in {200, 201}, created.text
