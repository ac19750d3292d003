"""Answers that come by chat, phone or a kiosk."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from rapport_privacy.migrations import migrate as migrate_keyring

from tests.support.events import happened
from tests.support.feedback_house import (
    House,
    Secrets,
    open_house,
    prepare_feedback,
    settings_of,
)
from tests.support.fixtures import MakeDatabase
from tests.support.responses import PATH, answer_of, given, told
from tests.support.survey_page import Invited, invite, questionnaire


@pytest.fixture(scope="module")
async def house(new_database: MakeDatabase, secrets: Secrets) -> AsyncIterator[House]:
    databases = await new_database(prepare_feedback), await new_database(migrate_keyring)
    async with open_house(settings_of(databases, secrets), secrets) as house:
        await house.live(datetime.now(UTC) - timedelta(days=1), **questionnaire())
        yield house


@pytest.fixture
async def ada(house: House) -> Invited:
    return await invite(house)


async def test_an_invited_customer_can_answer_by_phone(ada: Invited) -> None:
    body = {"survey": ada.survey, "channel": "phone", "score": 3, "comment": "Too slow"}

    done = await ada.house.post(PATH, body, "desk")

    assert done.status_code == 201
    current = done.json()["current"]
    assert (current["score"], current["comment"], current["agent"]) == (3, "Too slow", "eve")
    ((fact, data),) = await ada.told()
    assert (fact.subject, fact.channel, data.channel) == (ada.subject, "phone", "email")
    assert await ada.words() == {"comment": "Too slow"}
    assert (await ada.send(recommend=9)).status_code == 409


async def test_a_customer_whom_nobody_invited_can_answer(house: House) -> None:
    name = f"u-{uuid4()}"

    done = await given(
        house,
        customer={"user_id": name},
        ticket="T-7",
        agent="bob",
        scores={"speed": 4},
        choices={"liked": ["app"]},
        texts=None,
    )

    subject = await house.subject(user_id=name)
    ((fact, data),) = await told(house, done["survey"])
    assert (fact.subject, fact.channel) == (subject, "chat")
    assert (data.definition, data.kind, data.channel) == ("after_case@1", "nps", "chat")
    assert (data.ticket, data.agent) == ("T-7", "bob")
    assert (data.score, data.scores, data.choices) == (9, {"speed": 4}, {"liked": ["app"]})


async def test_a_kiosk_knows_nobody(house: House) -> None:
    done = await given(house, customer=None, comment="Nice shop")

    ((fact, _),) = await told(house, done["survey"])
    assert fact.subject is None
    assert done["current"]["customer"] is None
    assert done["current"]["comment"] == "Nice shop"


async def test_further_names_of_the_customer_come_along(house: House) -> None:
    phone = f"+49151{uuid4().int % 10**8:08}"
    done = await given(house, customer={"user_id": f"u-{uuid4()}", "phone": phone})

    ((fact, _),) = await told(house, done["survey"])
    assert fact.linked_subjects == (await house.subject(phone=phone),)
    assert list(fact.kinds.values()) == ["user_id", "phone"]


async def test_a_repeat_under_the_same_key_is_the_same_answer(house: House) -> None:
    body, key = answer_of(comment="Twice?"), str(uuid4())

    async with asyncio.TaskGroup() as group:
        tries = [group.create_task(house.post(PATH, body, idempotency_key=key)) for _ in range(20)]

    answers = [one.result() for one in tries]
    assert sorted(one.status_code for one in answers) == [200] * 19 + [201]
    (survey,) = {one.json()["survey"] for one in answers}
    assert len(await told(house, survey)) == 1


async def test_another_answer_under_the_same_key_is_refused(house: House) -> None:
    body, key = answer_of(comment="Good"), str(uuid4())
    await house.post(PATH, body, idempotency_key=key)

    for other in ({"score": 8}, {"comment": "Bad"}, {"comment": None}):
        refused = await house.post(PATH, {**body, **other}, idempotency_key=key)
        assert refused.status_code == 409
        assert refused.json()["code"] == "already_answered"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"score": 11}, "/score"),
        ({"score": None, "comment": "no score"}, "/score"),
        ({"scores": {"speed": 9}}, "/scores/speed"),
        ({"scores": {"mood": 1}}, "/scores/mood"),
        ({"choices": {"reason": ["weather"]}}, "/choices/reason"),
        ({"choices": {"reason": ["price", "people"]}}, "/choices/reason"),
        ({"comment": "x" * 2_001}, "/comment"),
        ({"texts": {"poem": "x"}}, "/texts/poem"),
        ({"customer": {"email": "no address"}}, "/customer/email"),
        ({"customer": {"ticket": "T-1"}}, "/customer/ticket"),
        ({"customer": {"user_id": "null"}}, "/customer/user_id"),
        ({"answered_at": "2999-01-01T00:00:00Z"}, "/answered_at"),
        ({"answered_at": "0001-01-01T00:00:00Z"}, "/answered_at"),
        ({"answered_at": "0001-01-01T00:00:00+14:00"}, "/answered_at"),
        ({"score": "9"}, "/score"),
        ({"score": True}, "/score"),
        ({"score": 9.5}, "/score"),
        ({"channel": "pigeon"}, "/channel"),
        ({"surprise": 1}, "/surprise"),
        ({"survey": "both"}, ""),
        ({"definition": None}, ""),
        ({"definition": "After Case"}, "/definition"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_recorded(
    house: House, changes: dict[str, Any], pointer: str
) -> None:
    before = await house.rows("SELECT count(*) FROM answer")

    refused = await house.post(PATH, answer_of(**changes), idempotency_key=str(uuid4()))

    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"][0]["pointer"] == pointer
    assert await house.rows("SELECT count(*) FROM answer") == before


async def test_an_answer_without_a_key_is_refused(house: House) -> None:
    refused = await house.post(PATH, answer_of())

    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_missing")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"survey": "v-nobody", "score": 9}, "invitation_not_found"),
        (answer_of(definition="no_such"), "survey_not_found"),
        (answer_of(definition="after_case@99"), "survey_not_found"),
    ],
)
async def test_what_is_not_known_cannot_be_answered(
    house: House, body: dict[str, Any], code: str
) -> None:
    refused = await house.post(PATH, body, idempotency_key=str(uuid4()))

    assert (refused.status_code, refused.json()["code"]) == (404, code)


async def test_what_others_asked_is_answered_where_it_was_asked(house: House) -> None:
    subject = await house.subject(user_id=f"u-{uuid4()}")
    asked = happened("survey.sent", subject, survey="theirs-1", definition="theirs@1", kind="nps")
    await house.tell(asked)

    refused = await house.post(PATH, {"survey": "theirs-1", "score": 9})

    assert (refused.status_code, refused.json()["code"]) == (404, "invitation_not_found")


async def test_an_invitation_that_ended_is_not_answered_by_phone_either(ada: Invited) -> None:
    await ada.change("expires_at = now() - interval '1 day'")
    body = {"survey": ada.survey, "score": 9}

    late = await ada.house.post(PATH, body)
    noted = str(datetime.now(UTC) - timedelta(days=2))
    in_time = await ada.house.post(PATH, {**body, "answered_at": noted})

    assert (late.status_code, late.json()["code"]) == (410, "survey_ended")
    assert in_time.status_code == 201


async def test_an_erased_customer_answers_nothing(house: House) -> None:
    name = f"u-{uuid4()}"
    subject = await house.subject(user_id=name)
    await house.keyring.erase([subject], certificate_id=str(uuid4()))

    refused = await house.post(
        PATH, answer_of(customer={"user_id": name}), idempotency_key=str(uuid4())
    )

    assert (refused.status_code, refused.json()["code"]) == (410, "customer_erased")


@pytest.mark.parametrize("caller", [None, "reader", "stranger"])
async def test_only_writers_answer_for_others(house: House, caller: str | None) -> None:
    refused = await house.post(PATH, answer_of(), caller, idempotency_key=str(uuid4()))
    corrected = await house.patch(f"{PATH}/v-1", {"score": 1}, caller)

    code = 401 if caller is None else 403
    assert (refused.status_code, corrected.status_code) == (code, code)
