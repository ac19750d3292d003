"""Surveys come to life in versions, and who was eligible is answered for."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from rapport_feedback.domain.definition import Definition
from rapport_feedback.files import defaults, load
from rapport_feedback.main import worker_component

from tests.integration.feedback.conftest import Open
from tests.support.events import NOON, happened
from tests.support.feedback_house import House
from tests.support.surveys import LIVE, after_case, resolved_ticket

OK, MADE = httpx2.codes.OK, httpx2.codes.CREATED


async def drafted(house: House, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    answer = await house.post("/v1/surveys", after_case(**changes))
    assert answer.status_code in (OK, MADE), answer.text
    document: dict[str, Any] = answer.json()
    return document


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


async def test_everybody_eligible_is_counted_with_their_reason(house: House) -> None:
    await house.live(LIVE, **after_case())
    people = [await house.subject(user_id=f"u-{uuid4()}") for _ in range(3)]
    mute = await house.subject(user_id=f"u-{uuid4()}")
    await house.tell(
        *[resolved_ticket(one) for one in people],
        resolved_ticket(people[0]),
        resolved_ticket(mute, linked=None, identifiedby="user_id"),
        resolved_ticket(people[1], NOON + timedelta(days=60)),
    )
    await house.ask(NOON + timedelta(hours=2))

    path = "/v1/surveys/after_case/invitations"
    found = await house.read(path)
    refused = await house.read(path, state="not_invited", reason="throttled")

    assert found["counts"] == {
        "eligible": 6,
        "waiting": 1,
        "sent": 3,
        "not_invited": {"no_channel": 1, "throttled": 1},
    }
    assert [one["customer"] for one in refused["invitations"]] == [people[0]]
    assert found["invitations"][0]["state"] == "waiting"


async def test_a_list_is_read_page_by_page(house: House) -> None:
    await house.live(LIVE, **after_case())
    subjects = [await house.subject(user_id=f"u-{uuid4()}") for _ in range(5)]
    await house.tell(*[resolved_ticket(one) for one in subjects])
    path, seen, cursor = "/v1/surveys/after_case/invitations", [], None

    while True:
        more: dict[str, str] = {} if cursor is None else {"cursor": cursor}
        page = await house.read(path, limit=2, **more)
        seen += [one["customer"] for one in page["invitations"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert sorted(seen) == sorted(subjects)
    strange = await house.get(path, state="sent", cursor="nonsense")
    assert strange.status_code == httpx2.codes.BAD_REQUEST


async def reachable(house: House) -> tuple[str, str]:
    """Name and subject of a customer with an e-mail address, who is awake."""
    name = f"u-{uuid4()}"
    subject = await house.subject(user_id=name)
    awake = "00:00-00:00"
    known: dict[str, Any] = {"linked": str(uuid4()), "identifiedby": "user_id,email"}
    await house.tell(happened("preference.changed", subject, quiet_hours=awake, **known))
    return name, subject


async def invite(house: House, caller: str = "desk", **asked: Any) -> httpx2.Response:  # noqa: ANN401 - any JSON
    return await house.post("/v1/surveys/after_case/invitations", asked, caller=caller)


async def test_a_customer_is_invited_by_hand_once_under_a_key(house: House) -> None:
    await house.live(LIVE, **after_case())
    name, subject = await reachable(house)
    to = [
        {"identifiers": {"user_id": name}},
        {"subject": subject},
        {"identifiers": {"user_id": "x"}},
    ]

    first = await invite(house, to=to, key="webinar-7", link=True)
    again = await invite(house, to=to, key="webinar-7", link=True)
    other = await invite(house, to=to, key="webinar-8")

    mine, also_mine, nobody = first.json()["invitations"]
    assert first.status_code == OK, first.text
    assert mine == also_mine
    assert mine["outcome"] == "sent"
    assert mine["link"].startswith("http://")
    assert nobody == {"outcome": "unknown"}
    assert again.json() == first.json()
    assert other.json()["invitations"][0]["reason"] == "throttled"
    assert [fact.type for fact in await house.facts()] == [
        "survey.sent.v1",
        "action.requested.v1",
        "survey.not_invited.v1",
    ]


async def test_who_shows_the_link_themselves_needs_no_address(house: House) -> None:
    await house.live(LIVE, **after_case())
    subject = await house.subject(user_id=f"u-{uuid4()}")

    answer = await invite(house, to=[{"subject": subject}], key="chat-1", deliver=False, link=True)

    assert answer.json()["invitations"][0]["outcome"] == "sent"
    assert [fact.type for fact in await house.facts()] == ["survey.sent.v1"]


async def test_who_sleeps_is_asked_in_the_morning(house: House) -> None:
    await house.live(LIVE, **after_case())
    _, subject = await reachable(house)
    hour = datetime.now(UTC).hour
    night = f"{hour:02}:00-{(hour + 2) % 24:02}:00"
    await house.tell(
        happened("preference.changed", subject, NOON + timedelta(days=1), quiet_hours=night)
    )

    answer = await invite(house, to=[{"subject": subject}], key="k")

    found = answer.json()["invitations"][0]
    assert found["outcome"] == "waiting"
    assert found["send_at"] > datetime.now(UTC).isoformat()


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"to": [], "key": "k"}, 422),
        ({"to": [{}], "key": "k"}, 422),
        ({"to": [{"subject": "ada"}], "key": "k"}, 422),
        ({"to": [{"identifiers": {"email": "nonsense"}}], "key": "k"}, 422),
        ({"to": [{"identifiers": {"user_id": "u"}}]}, 422),
        ({"to": [{"identifiers": {"user_id": "u"}}], "key": "with space"}, 422),
    ],
)
async def test_nobody_is_invited_by_nonsense(
    house: House, asked: dict[str, Any], status: int
) -> None:
    await house.live(LIVE, **after_case())

    answer = await invite(house, **asked)

    assert answer.status_code == status, answer.text
    assert "nonsense" not in answer.text
    assert await house.facts() == []


async def test_a_link_is_for_who_may_see_personal_data(house: House) -> None:
    await house.live(LIVE, **after_case())
    _, subject = await reachable(house)

    refused = await invite(house, "writer", to=[{"subject": subject}], key="k", link=True)
    reading = await invite(house, "reader", to=[{"subject": subject}], key="k")

    assert refused.status_code == reading.status_code == httpx2.codes.FORBIDDEN
    assert await house.facts() == []


async def test_nobody_is_invited_to_a_draft(house: House) -> None:
    await drafted(house)
    _, subject = await reachable(house)

    answer = await invite(house, to=[{"subject": subject}], key="k")

    assert answer.status_code == httpx2.codes.CONFLICT


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


async def test_a_worker_brings_the_surveys_of_its_directory(opened: Open, tmp_path: Path) -> None:
    file = tmp_path / "after_case.json"
    file.write_text(Definition.model_validate(after_case()).model_dump_json(exclude_none=True))
    async with opened(definitions_dir=tmp_path) as house:
        stop = asyncio.Event()
        stop.set()

        await worker_component(house.settings, house.resources)(stop)

        assert (await house.read("/v1/surveys/after_case"))["state"] == "live"
