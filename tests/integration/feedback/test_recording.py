"""Answers that arrive at the same moment are written together, and each for itself."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
from rapport_feedback.answering import AlreadyAnswered, Given, Outcome, PersonErased, Recorded
from rapport_feedback.domain.answer import NewAnswer
from rapport_feedback.domain.followup import USUAL
from rapport_privacy.crypto import ERASED

from tests.support.answers import an_answer
from tests.support.feedback_house import House


async def somebody(house: House) -> str:
    """Who was asked a moment ago."""
    subject = await house.subject(user_id=f"u-{uuid4()}")
    await house.rows(f"INSERT INTO person_subject (subject_id) VALUES ('{subject}')")  # noqa: S608 - ours
    return subject


async def given(house: House, subject: str, **answers: Any) -> Given:  # noqa: ANN401 - any answer
    key = (await house.keyring.keys_of([subject]))[subject]
    return Given(key, an_answer(subject, **answers), USUAL)


async def recorded(house: House, several: Sequence[Given]) -> list[Outcome | BaseException]:
    record = house.app.state.desk.recording.record
    return await asyncio.gather(*map(record, several), return_exceptions=True)


async def surveys(house: House) -> set[str]:
    return {row["survey"] for row in await house.rows("SELECT survey FROM answer")}


async def test_answers_of_many_people_are_all_there_after_two_transactions(house: House) -> None:
    several = [
        await given(house, await somebody(house), score=number % 11, comment="the app is slow")
        for number in range(30)
    ]

    outcomes = await recorded(house, several)

    assert all(isinstance(one, Recorded) for one in outcomes)
    assert await surveys(house) == {one.new.survey.id for one in several}
    (written,) = await house.rows("SELECT count(DISTINCT xmin::text) FROM answer")
    assert written["count"] == 2
    answered = [fact for fact in await house.facts() if fact.type == "survey.responded.v1"]
    assert {fact.subject for fact in answered} == {one.new.survey.subject for one in several}
    assert len(await house.rows("SELECT FROM classification")) == 30
    low = [one for one in several if (one.new.answers.score or 0) <= 6]
    assert len(await house.rows("SELECT FROM loop")) == len(low)


async def test_each_hears_what_became_of_their_own(house: House) -> None:
    ada, bob, eve, mel = [await given(house, await somebody(house), score=9) for _ in range(4)]
    gone = eve._replace(key=ERASED)
    await house.rows(
        f"UPDATE person_subject SET erased_at = now() WHERE subject_id = '{mel.new.survey.subject}'"  # noqa: S608 - ours
    )

    first, *others = await recorded(house, [ada, ada, gone, bob, mel, bob, ada])

    assert isinstance(first, Recorded)
    kinds = [type(one) for one in others]
    assert kinds == [
        AlreadyAnswered, PersonErased, Recorded, PersonErased, AlreadyAnswered, AlreadyAnswered
    ]  # fmt: skip
    assert await surveys(house) == {ada.new.survey.id, bob.new.survey.id}


async def test_an_answer_that_cannot_be_stored_fails_for_itself(house: House) -> None:
    several = [await given(house, await somebody(house), score=9) for _ in range(5)]
    wrong = await given(house, await somebody(house), score=2**70)

    outcomes = await recorded(house, [*several[:2], wrong, *several[2:]])

    assert [isinstance(one, Recorded) for one in outcomes] == [True, True, False, True, True, True]
    assert isinstance(outcomes[2], (OverflowError, asyncpg.DataError))
    assert await surveys(house) == {one.new.survey.id for one in several}
    assert len(await house.facts()) == 5


async def test_somebody_who_is_locked_keeps_only_themselves_waiting(house: House) -> None:
    ada, *others = [await given(house, await somebody(house), score=9) for _ in range(6)]
    recording = house.app.state.desk.recording
    async with locked(house, ada.new):
        waiting = asyncio.create_task(recording.record(ada))
        outcomes = await asyncio.gather(*map(recording.record, others))

        assert all(isinstance(one, Recorded) for one in outcomes)
        assert ada.new.survey.id not in await surveys(house)
        assert not waiting.done()

    assert isinstance(await waiting, Recorded)
    assert ada.new.survey.id in await surveys(house)


@asynccontextmanager
async def locked(house: House, new: NewAnswer) -> AsyncIterator[None]:
    """While it is decided whether to ask them something else."""
    connection = await asyncpg.connect(house.settings.database.url.replace("+asyncpg", ""))
    async with connection.transaction():
        await connection.execute(
            "SELECT FROM person_subject WHERE subject_id = $1::text::uuid FOR UPDATE",
            new.survey.subject,
        )
        yield
    await connection.close()
