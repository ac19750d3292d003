"""Answers are recorded once and whole, and a correction is a further revision."""

import asyncio
from typing import Any
from uuid import uuid4

import orjson
from rapport_events.codec import decode, decode_data
from rapport_events.wire import SurveyResponded
from rapport_feedback.answering import (
    AlreadyAnswered,
    Outcome,
    PersonErased,
    Recorded,
    key_of,
    record,
)
from rapport_feedback.domain.answer import NewAnswer
from rapport_feedback.heard import open_comments, take_from_log
from rapport_feedback.sealing import Sealed, open_all
from rapport_privacy.crypto import ERASED

from tests.support.answers import an_answer
from tests.support.events import NOON, days, happened
from tests.support.feedback_house import House
from tests.support.privacy import a_name, resolved
from tests.support.sealed import told


async def somebody(house: House) -> str:
    person = await resolved(house.keyring, user_id=a_name())
    assert person.subject is not None
    return person.subject


async def recorded(house: House, new: NewAnswer, revision: int = 1) -> Outcome:
    assert new.survey.subject is not None
    key = await key_of(house.keyring, new.survey.subject)
    async with house.resources.engine.begin() as tx:
        return await record(tx, key, new, house.settings, revision)


async def test_of_many_answers_at_once_one_is_the_answer(house: House) -> None:
    subject, survey = await somebody(house), str(uuid4())

    async with asyncio.TaskGroup() as group:
        tries = [
            group.create_task(recorded(house, an_answer(subject, survey, score=score % 11)))
            for score in range(100)
        ]

    outcomes = [one.result() for one in tries]
    assert sum(isinstance(one, Recorded) for one in outcomes) == 1
    assert sum(isinstance(one, AlreadyAnswered) for one in outcomes) == 99
    (row,) = await house.rows(f"SELECT * FROM answer WHERE survey = '{survey}'")  # noqa: S608 - ours
    (event,) = await events(house, survey)
    assert event.score == row["score"]


async def test_what_was_written_is_sealed_on_the_disk_and_in_the_log(house: House) -> None:
    subject, survey = await somebody(house), str(uuid4())

    await recorded(house, an_answer(subject, survey, score=2, comment="never again", texts={}))

    (row,) = await house.rows(f"SELECT * FROM answer WHERE survey = '{survey}'")  # noqa: S608 - ours
    assert row["has_comment"]
    blob = orjson.loads(row["sealed"])
    (opened,) = await open_all(
        house.keyring, [Sealed(blob, subject, row["event_id"], "survey.responded.v1")]
    )
    assert opened == {"comment": "never again"}
    whole = await house.rows("SELECT value FROM outbox")
    assert whole
    assert not any(b"never again" in bytes(one["value"]) for one in whole)


async def test_a_correction_is_the_next_revision_and_counts_from_then_on(house: House) -> None:
    subject, survey = await somebody(house), str(uuid4())
    await recorded(house, an_answer(subject, survey, score=2))

    done = await recorded(house, an_answer(subject, survey, score=9), revision=2)
    late = await recorded(house, an_answer(subject, survey, score=3), revision=2)
    never = await recorded(house, an_answer(subject, survey, score=3), revision=9)

    assert isinstance(done, Recorded)
    assert isinstance(late, AlreadyAnswered)
    assert isinstance(never, AlreadyAnswered)
    assert await counting(house, survey) == [(2, 9)]
    assert [(one.revision, one.score) for one in await events(house, survey)] == [(1, 2), (2, 9)]


async def test_nothing_is_recorded_of_an_erased_person(house: House) -> None:
    subject, survey = await somebody(house), str(uuid4())
    await house.resources.engine.dispose()
    async with house.resources.engine.begin() as tx:
        await tx.exec_driver_sql(
            "INSERT INTO person_subject (subject_id, erased_at) "  # noqa: S608 - ours
            f"VALUES ('{subject}', now())"
        )

    as_the_log_says = await recorded(house, an_answer(subject, survey, score=2))
    async with house.resources.engine.begin() as tx:
        new = an_answer(await somebody(house), survey, score=2)
        as_the_keyring_says = await record(tx, ERASED, new, house.settings)

    assert isinstance(as_the_log_says, PersonErased)
    assert isinstance(as_the_keyring_says, PersonErased)
    assert await counting(house, survey) == []
    assert await events(house, survey) == []


async def test_answers_of_publishers_are_listed_in_whatever_order_they_come(house: House) -> None:
    survey, subject = f"v-{uuid4()}", await somebody(house)
    first = happened("survey.responded", subject, NOON, survey=survey, kind="nps", score=1)
    twice = happened(
        "survey.responded", subject, NOON + days(1), survey=survey, kind="nps", score=5
    )
    corrected = happened(
        "survey.responded", subject, NOON - days(1), survey=survey, kind="nps", score=9, revision=2
    )

    for record_ in (corrected, twice, first, twice):
        await take(house, record_)

    assert await counting(house, survey) == [(2, 9)]
    rows = await house.rows(f"SELECT * FROM answer WHERE survey = '{survey}' ORDER BY revision")  # noqa: S608 - ours
    assert [(row["revision"], row["score"]) for row in rows] == [(1, 5), (2, 9)]


async def test_an_answer_of_our_own_that_comes_back_changes_nothing(house: House) -> None:
    subject, survey = await somebody(house), str(uuid4())
    await recorded(house, an_answer(subject, survey, score=2, comment="late again"))
    (value,) = await values(house, survey)
    envelope = decode(value)
    before = await house.rows("SELECT count(*) FROM outbox")
    kept = await house.rows(f"SELECT xmin::text, * FROM answer WHERE survey = '{survey}'")  # noqa: S608 - ours
    ours = happened("survey.responded", subject)
    ours = type(ours)(
        topic="rapport.feedback.v1",
        partition=0,
        offset=1,
        key=(await house.rows(f"SELECT event_key FROM answer WHERE survey = '{survey}'"))[0][0],  # noqa: S608 - ours
        envelope=envelope,
        value=value,
    )

    follows = await take(house, ours)

    assert follows == 0
    assert await house.rows("SELECT count(*) FROM outbox") == before
    assert await house.rows(f"SELECT xmin::text, * FROM answer WHERE survey = '{survey}'") == kept  # noqa: S608 - ours


async def test_a_comment_that_a_publisher_took_is_read_with_the_keyring(house: House) -> None:
    survey = f"v-{uuid4()}"
    record_ = await told(
        house.keyring,
        {"user_id": a_name()},
        "survey.responded",
        personal={"comment": "the parcel never came"},
        survey=survey,
        kind="nps",
        score=1,
    )

    comments = await open_comments(house.keyring, [record_])

    assert comments == {record_.key: "the parcel never came"}
    await take(house, record_)
    (row,) = await house.rows(f"SELECT * FROM answer WHERE survey = '{survey}'")  # noqa: S608 - ours
    assert row["has_comment"]


async def test_an_erased_persons_answer_is_not_taken_from_the_log(house: House) -> None:
    subject, survey = await somebody(house), f"v-{uuid4()}"
    async with house.resources.engine.begin() as tx:
        await tx.exec_driver_sql(
            "INSERT INTO person_subject (subject_id, erased_at) "  # noqa: S608 - ours
            f"VALUES ('{subject}', now())"
        )

    await take(house, happened("survey.responded", subject, survey=survey, kind="nps", score=1))

    assert await counting(house, survey) == []


async def take(house: House, *records: Any) -> int:  # noqa: ANN401 - Records
    """How many facts follow."""
    comments = await open_comments(house.keyring, records)
    async with house.resources.engine.begin() as tx:
        return len(await take_from_log(tx, records, house.settings, comments))


async def counting(house: House, survey: str) -> list[tuple[int, int]]:
    """Revision and score of what counts."""
    rows = await house.rows(
        f"SELECT revision, score FROM answer WHERE survey = '{survey}' AND is_current"  # noqa: S608 - ours
    )
    return [tuple(row) for row in rows]


async def values(house: House, survey: str) -> list[bytes]:
    rows = await house.rows("SELECT value FROM outbox ORDER BY id")
    return [
        value
        for row in rows
        if b"survey.responded" in (value := bytes(row["value"])) and survey.encode() in value
    ]


async def events(house: House, survey: str) -> list[SurveyResponded]:
    found = [decode_data(decode(value)) for value in await values(house, survey)]
    return [one for one in found if isinstance(one, SurveyResponded)]
