"""What answers are about: said by rules with the answer, and by people who know better."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from rapport_events.envelope import Record

from tests.support.answers import facts, somebody
from tests.support.events import NOON, happened, told_again
from tests.support.feedback_house import House


async def test_a_comment_is_understood_with_the_answer_it_belongs_to(house: House) -> None:
    ada = await somebody(house)

    survey = await ada.answer(2, "The parcel arrived broken. Terrible!")

    (one,) = (await house.read("/v1/feedback"))["feedback"]
    assert (one["about"], one["asked_about"]) == ("service", "service")
    assert one["classification"]["topics"] == ["delivery", "quality"]
    assert one["classification"]["by"] == "rule"
    assert one["classification"]["definition"] == "comments@0"
    assert one["classification"]["sentiment"] < 0
    (fact,) = await facts(house, "feedback.classified")
    assert (fact.data.survey, fact.data.topics) == (survey, ["delivery", "quality"])
    assert fact.envelope.subject == ada.subject


async def test_german_is_understood_and_has_no_sentiment(house: House) -> None:
    ada = await somebody(house)

    await ada.answer(2, "Das war schrecklich, die Lieferung kam zu spät", language="de-AT")

    (one,) = (await house.read("/v1/feedback"))["feedback"]
    assert one["classification"]["topics"] == ["delivery", "waiting"]
    assert one["classification"]["sentiment"] is None


async def test_an_answer_without_words_says_nothing_of_itself(house: House) -> None:
    ada = await somebody(house)

    await ada.answer(2)

    (one,) = (await house.read("/v1/feedback"))["feedback"]
    assert one["classification"] is None
    assert one["about"] == "service"
    assert await facts(house, "feedback.classified") == []


async def test_a_corrected_comment_is_understood_anew(house: House) -> None:
    ada = await somebody(house)
    survey = await ada.answer(2, "My parcel is late")

    await ada.answer(2, "Sorry, it was the price", survey=survey)
    await ada.answer(2, None, survey=survey)

    told = [one.data.topics for one in await facts(house, "feedback.classified")]
    assert told == [["delivery", "waiting"], ["price"], []]
    assert await topics(house, survey) == []


async def test_a_person_knows_better_than_any_rule(house: House) -> None:
    ada = await somebody(house)
    survey = await ada.answer(2, "My parcel is late")

    said = await classify(house, survey, about="product", topics=["packaging"])

    assert said["classification"] == {
        "about": "product",
        "topics": ["packaging"],
        "sentiment": said["classification"]["sentiment"],
        "by": "person",
        "agent": "writer",
        "at": said["classification"]["at"],
        "definition": None,
    }
    (one,) = (await house.read("/v1/feedback", about="product"))["feedback"]
    assert (one["survey"], one["asked_about"]) == (survey, "service")
    fact = (await facts(house, "feedback.classified"))[-1]
    assert (fact.data.by, fact.data.agent, fact.data.topics) == ("person", "writer", ["packaging"])


async def test_what_a_person_leaves_out_stays_as_it_is(house: House) -> None:
    ada = await somebody(house)
    survey = await ada.answer(2, "My parcel is late")

    said = await classify(house, survey, sentiment=-80)

    assert said["classification"]["topics"] == ["delivery", "waiting"]
    assert said["classification"]["sentiment"] == -80


async def test_saying_the_same_twice_is_one_word(house: House) -> None:
    ada = await somebody(house)
    survey = await ada.answer(2, language="de")

    for _ in range(2):
        await classify(house, survey, topics=["packaging", "packaging"])
    await classify(house, survey, topics=["else"])
    await classify(house, survey, topics=["packaging"])

    told = [one.data.topics for one in await facts(house, "feedback.classified")]
    assert told == [["packaging"], ["else"], ["packaging"]]


async def test_many_people_at_once_have_one_last_word(house: House) -> None:
    ada = await somebody(house)
    survey = await ada.answer(2, "late")

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(classify(house, survey, topics=[f"t{number}"]))

    current = await house.rows("SELECT topics FROM classification WHERE is_current")
    newest = await house.rows(
        "SELECT topics FROM classification ORDER BY classified_at DESC, event_key DESC"
    )
    assert [row["topics"] for row in current] == [newest[0]["topics"]]


async def test_a_later_correction_does_not_overrule_a_person(house: House) -> None:
    ada = await somebody(house)
    survey = await ada.answer(2, "My parcel is late")
    await classify(house, survey, topics=["packaging"])

    await ada.answer(2, "It was far too expensive", survey=survey)

    assert await topics(house, survey) == ["packaging"]
    assert len(await facts(house, "feedback.classified")) == 2


@pytest.mark.parametrize("person_first", [True, False])
@pytest.mark.parametrize("person_earlier", [True, False])
async def test_a_persons_word_from_elsewhere_wins_in_any_order(
    house: House, *, person_first: bool, person_earlier: bool
) -> None:
    survey, ada = str(uuid4()), await somebody(house)
    shift = timedelta(hours=-1 if person_earlier else 1)
    person = a_word(ada.subject, survey, NOON + shift, "person", ["packaging"])
    rule = a_word(ada.subject, survey, NOON, "rule", ["delivery"])
    unsaid = a_word(ada.subject, survey, NOON + timedelta(days=1), None, ["price"])

    for record in (person, rule, unsaid) if person_first else (rule, unsaid, person):
        await house.tell(record)
    await house.tell(told_again(person))

    current = await house.rows("SELECT by, topics FROM classification WHERE is_current")
    assert [(row["by"], row["topics"]) for row in current] == [("person", ["packaging"])]


async def test_a_persons_word_that_came_before_its_answer_wins(house: House) -> None:
    survey, ada = str(uuid4()), await somebody(house)
    await house.tell(a_word(ada.subject, survey, NOON, "person", ["packaging"]))

    await ada.answer(2, "My parcel is late", survey=survey)

    assert await topics(house, survey) == ["packaging"]
    assert await facts(house, "feedback.classified") == []


async def test_of_two_persons_the_later_one_counts_whenever_it_came(house: House) -> None:
    survey, ada = str(uuid4()), await somebody(house)
    later = a_word(ada.subject, survey, NOON + timedelta(hours=1), "person", ["b"])
    earlier = a_word(ada.subject, survey, NOON, "person", ["a"])

    await house.tell(later, earlier)

    current = await house.rows("SELECT topics FROM classification WHERE is_current")
    assert [row["topics"] for row in current] == [["b"]]


async def test_our_own_words_come_back_and_change_nothing(house: House) -> None:
    ada = await somebody(house)
    survey = await ada.answer(2, "My parcel is late")
    await classify(house, survey, topics=["packaging"])
    before = await house.rows("SELECT * FROM classification ORDER BY event_key")

    await house.tell(*(one.record for one in await facts(house, "feedback.classified")))

    assert await house.rows("SELECT * FROM classification ORDER BY event_key") == before


async def test_a_person_is_heard_again_after_an_older_backup_was_restored(house: House) -> None:
    ada = await somebody(house)
    survey = await ada.answer(2, "My parcel is late")
    await classify(house, survey, topics=["packaging"])
    told = [one.record for one in await facts(house, "feedback.classified")]
    async with house.resources.engine.begin() as tx:
        await tx.exec_driver_sql("DELETE FROM classification")

    await house.tell(*told)

    assert await topics(house, survey) == ["packaging"]


async def test_nonsense_is_refused_and_nothing_is_said(house: House) -> None:
    ada = await somebody(house)
    survey = await ada.answer(2)
    path = f"/v1/feedback/{survey}:classify"

    nonsense: list[object] = [
        {"about": "weather"},
        {"topics": [""]},
        {"topics": ["x"] * 51},
        {"sentiment": 101},
        {"topic": ["x"]},
        {"topics": ["a\x00b"]},
        [],
    ]
    for body in nonsense:
        answer = await house.post(path, body)
        assert answer.status_code in {400, 422}, answer.text
    assert (await house.post(path, {}, "reader")).status_code == 403
    assert (await house.post("/v1/feedback/nobody:classify", {})).status_code == 404
    assert await house.rows("SELECT * FROM classification") == []


def a_word(subject: str, survey: str, at: datetime, by: str | None, topics: list[str]) -> Record:
    said: dict[str, Any] = {} if by is None else {"by": by}
    return happened("feedback.classified", subject, at, survey=survey, topics=topics, **said)


async def classify(house: House, survey: str, **said: object) -> dict[str, Any]:
    answer = await house.post(f"/v1/feedback/{survey}:classify", said)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def topics(house: House, survey: str) -> list[str]:
    (one,) = (await house.read("/v1/feedback"))["feedback"]
    assert one["survey"] == survey
    found: list[str] = one["classification"]["topics"]
    return found
