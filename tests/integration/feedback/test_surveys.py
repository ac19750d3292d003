"""Surveys come to life in versions, and by files."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest
from rapport_feedback.domain.definition import Definition
from rapport_feedback.files import defaults, load
from rapport_feedback.main import worker_component
from structlog.testing import capture_logs

from tests.integration.feedback.conftest import Open
from tests.support.feedback_house import House
from tests.support.surveys import after_case, drafted

OK, MADE = httpx2.codes.OK, httpx2.codes.CREATED


async def going_live(house: House, version: int) -> httpx2.Response:
    return await house.post(f"/v1/surveys/after_case/versions/{version}:go-live")


async def test_a_draft_goes_live_and_the_next_version_retires_it(house: House) -> None:
    await drafted(house)
    await going_live(house, 1)
    second = await drafted(house, expires_days=3)

    await going_live(house, 2)

    shown = await house.read("/v1/surveys/after_case/versions")
    states = [(one["version"], one["state"]) for one in shown["versions"]]
    assert (second["version"], second["state"]) == (2, "draft")
    assert states == [(2, "live"), (1, "retired")]
    assert (await house.read("/v1/surveys/after_case"))["definition"]["expires_days"] == 3


async def test_the_same_document_makes_no_new_version(house: House) -> None:
    first = await house.post("/v1/surveys", after_case())
    again = await house.post("/v1/surveys", after_case())
    changed = await house.post("/v1/surveys", after_case(expires_days=3))
    await going_live(house, 1)
    live = await house.post("/v1/surveys", after_case(expires_days=3))

    assert [one.status_code for one in (first, again, changed, live)] == [MADE, OK, MADE, OK]
    assert {one.json()["version"] for one in (first, again, changed, live)} == {1}


async def test_what_has_retired_stays_so(house: House) -> None:
    await drafted(house)
    early = await house.post("/v1/surveys/after_case/versions/1:retire")
    await going_live(house, 1)
    await house.post("/v1/surveys/after_case/versions/1:retire")

    again = await going_live(house, 1)

    assert early.status_code == httpx2.codes.CONFLICT
    assert again.status_code == httpx2.codes.CONFLICT
    assert again.json()["state"] == "retired"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"kind": "mood"}, "/kind"),
        ({"expires_days": 0}, "/expires_days"),
        ({"questions": [{"id": "a", "type": "score", "text": {}}]}, "/questions/0/score/text"),
        ({"rules": [{"id": "a", "on": "ticket.resolved", "sample": 2}]}, "/rules/0/event/sample"),
    ],
)
async def test_what_is_wrong_with_a_survey_is_said_by_field(
    house: House, changes: dict[str, Any], pointer: str
) -> None:
    answer = await house.post("/v1/surveys", after_case(**changes))

    assert answer.status_code == httpx2.codes.UNPROCESSABLE_CONTENT
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_only_writers_change_surveys(house: House) -> None:
    refused = await house.post("/v1/surveys", after_case(), caller="reader")
    strange = await house.get("/v1/surveys", "stranger")
    unknown = await house.get("/v1/surveys/nothing")

    assert refused.status_code == strange.status_code == httpx2.codes.FORBIDDEN
    assert unknown.status_code == httpx2.codes.NOT_FOUND


async def test_files_are_loaded_once_and_live_at_once(house: House) -> None:
    ours = defaults()

    first = await load(house.resources.engine, ours)
    again = await load(house.resources.engine, ours)
    await house.post("/v1/surveys/nps/versions/1:retire")
    after = await load(house.resources.engine, ours)

    assert {one.change for one in first} == {"live"}
    assert {one.change for one in again} == {"unchanged"}
    assert {one.id: one.change for one in after}["nps"] == "retired"
    assert [one["version"] for one in (await house.read("/v1/surveys"))["surveys"]] == [1] * 4


async def test_a_file_that_nobody_changed_takes_nothing_back(house: House) -> None:
    file = [Definition.model_validate(after_case())]
    await load(house.resources.engine, file)
    await drafted(house, title={"en": "A colleague's"})

    of_draft = await load(house.resources.engine, file)
    await going_live(house, 2)
    of_live = await load(house.resources.engine, file)

    assert of_draft == of_live == [("after_case", 2, "unchanged")]
    kept = await house.read("/v1/surveys/after_case")
    assert (kept["version"], kept["state"]) == (2, "live")
    assert kept["definition"]["title"] == {"en": "A colleague's"}


async def test_a_changed_file_goes_live_unless_a_draft_of_somebody_else_would_be_lost(
    house: House,
) -> None:
    await load(house.resources.engine, [Definition.model_validate(after_case())])
    changed = [Definition.model_validate(after_case(expires_days=3))]
    await drafted(house, title={"en": "A colleague's"})

    with capture_logs() as told:
        kept = await load(house.resources.engine, changed)
    await going_live(house, 2)
    loaded = await load(house.resources.engine, changed)

    assert kept == [("after_case", 2, "kept")]
    assert [(one["file"], one["draft"]) for one in told] == [("after_case", "after_case@2")]
    assert loaded == [("after_case", 3, "live")]


async def test_a_worker_brings_the_surveys_of_its_directory(opened: Open, tmp_path: Path) -> None:
    file = tmp_path / "after_case.json"
    file.write_text(Definition.model_validate(after_case()).model_dump_json(exclude_none=True))
    async with opened(definitions_dir=tmp_path) as house:
        stop = asyncio.Event()
        stop.set()

        await worker_component(house.settings, house.resources)(stop)

        assert (await house.read("/v1/surveys/after_case"))["state"] == "live"
