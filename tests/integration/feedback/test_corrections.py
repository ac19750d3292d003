"""What people correct of an answer, and who may read its words."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from rapport_feedback.heard import take_from_log
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
from tests.support.responses import PATH, given, told
from tests.support.survey_page import questionnaire


@pytest.fixture(scope="module")
async def house(new_database: MakeDatabase, secrets: Secrets) -> AsyncIterator[House]:
    databases = await new_database(prepare_feedback), await new_database(migrate_keyring)
    async with open_house(settings_of(databases, secrets), secrets) as house:
        await house.live(datetime.now(UTC) - timedelta(days=1), **questionnaire())
        yield house


async def test_a_correction_says_again_only_what_is_different(house: House) -> None:
    first = await given(house, comment="Rude", scores={"speed": 2}, choices={"reason": ["price"]})

    done = await house.patch(
        f"{PATH}/{first['survey']}", {"score": 2, "scores": {"speed": None}}, "desk"
    )

    assert done.status_code == 200, done.text
    document = done.json()
    assert [one["revision"] for one in document["revisions"]] == [1, 2]
    assert document["current"]["revision"] == 2
    assert (document["current"]["score"], document["current"]["scores"]) == (2, {})
    assert document["current"]["comment"] == "Rude"
    assert document["current"]["choices"] == {"reason": ["price"]}
    assert [one["is_current"] for one in document["revisions"]] == [False, True]
    events = await told(house, first["survey"])
    assert [(data.revision, data.score) for _, data in events] == [(1, 9), (2, 2)]
    assert events[0][0].id != events[1][0].id


async def test_a_correction_that_changes_nothing_is_no_revision(house: House) -> None:
    first = await given(house, comment="Good")

    again = await house.patch(f"{PATH}/{first['survey']}", {"score": 9, "comment": "Good"})

    assert again.status_code == 200
    assert len(again.json()["revisions"]) == 1


async def test_words_can_be_taken_back(house: House) -> None:
    first = await given(house, comment="Not meant so")

    done = await house.patch(f"{PATH}/{first['survey']}", {"comment": None}, "desk")

    assert done.json()["current"]["comment"] is None
    assert done.json()["revisions"][0]["comment"] == "Not meant so"


async def test_corrections_at_once_are_each_heard(house: House) -> None:
    first = await given(house)

    async with asyncio.TaskGroup() as group:
        tries = [
            group.create_task(house.patch(f"{PATH}/{first['survey']}", {"score": score}))
            for score in (1, 2)
        ]

    assert [one.result().status_code for one in tries] == [200, 200]
    events = await told(house, first["survey"])
    assert [data.revision for _, data in events] == [1, 2, 3]
    assert {data.score for _, data in events[1:]} == {1, 2}


@pytest.mark.parametrize(
    ("body", "code"),
    [({"score": 11}, 422), ({}, 422), ({"surprise": 1}, 422), ({"score": None}, 422)],
)
async def test_a_correction_is_checked_as_an_answer_is(
    house: House, body: dict[str, Any], code: int
) -> None:
    first = await given(house)

    refused = await house.patch(f"{PATH}/{first['survey']}", body)

    assert refused.status_code == code
    assert len(await told(house, first["survey"])) == 1


async def test_a_publishers_answer_can_be_corrected(house: House) -> None:
    survey, subject = f"v/{uuid4()}", await house.subject(user_id=f"u-{uuid4()}")
    theirs = happened("survey.responded", subject, survey=survey, kind="csat", score=1)
    async with house.resources.engine.begin() as tx:
        await take_from_log(tx, [theirs], house.settings)

    done = await house.patch(f"{PATH}/{survey}", {"score": 5})
    refused = await house.patch(f"{PATH}/{survey}", {"score": 6})

    assert (done.status_code, done.json()["current"]["revision"]) == (200, 2)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/score")


async def test_comments_are_for_those_who_may_see_personal_data(house: House) -> None:
    first = await given(house, comment="My number is 7")

    masked = await house.read(f"{PATH}/{first['survey']}")
    seen = await house.read(f"{PATH}/{first['survey']}", "desk")

    assert masked["current"]["comment"] is None
    assert "revisions[].comment" in masked["masked"]
    assert "number" not in orjson.dumps(masked).decode()
    assert seen["current"]["comment"] == "My number is 7"
    assert seen["masked"] == []


async def test_an_erased_customers_words_are_gone(house: House) -> None:
    first = await given(house, comment="My secret")
    customer = first["current"]["customer"]
    await house.keyring.erase([customer], certificate_id=str(uuid4()))

    seen = await house.read(f"{PATH}/{first['survey']}", "desk")
    refused = await house.patch(f"{PATH}/{first['survey']}", {"score": 1})

    assert seen["current"]["comment"] == {"erased": True}
    assert seen["current"]["score"] == 9
    assert (refused.status_code, refused.json()["code"]) == (410, "customer_erased")


async def test_an_answer_that_nobody_gave_is_not_found(house: House) -> None:
    assert (await house.get(f"{PATH}/v-nobody")).status_code == 404
    assert (await house.patch(f"{PATH}/v-nobody", {"score": 1})).status_code == 404
