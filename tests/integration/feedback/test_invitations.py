"""Invitations: who was eligible is answered for, and people are invited by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.support.events import NOON, happened
from tests.support.feedback_house import House
from tests.support.surveys import LIVE, after_case, drafted, resolved_ticket


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
    assert first.status_code == httpx2.codes.OK, first.text
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
