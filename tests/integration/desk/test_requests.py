"""What the desk takes, what it refuses, and what it says of requests."""

from typing import Any
from uuid import uuid4

import pytest

from tests.support.desk_house import DESK, DeskHouse
from tests.support.ingest_house import a_user, an_id
from tests.support.privacy import an_email
from tests.support.publishers import cloudevent


def ticket(who: dict[str, str], **data: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    fields = {"ticket": f"T-{an_id()}", "identifiers": who, **data}
    return cloudevent("ticket.created.v1", fields, id=an_id())


async def test_a_dry_run_says_what_would_go_and_leaves_it(house: DeskHouse) -> None:
    who = {"user_id": a_user(), "email": an_email()}
    token = await house.send(ticket(who, body="secret"))

    asked = await house.ask("erasure", token=token, identifiers=who, dry_run=True)

    shown = asked.json()
    assert asked.status_code == 201
    assert shown["status"] == "completed"
    assert "certificate" not in shown
    assert (shown["plan"]["keys"], shown["plan"]["identifiers"]) == (2, 2)
    assert shown["plan"]["rows"]["timeline"] == 1
    assert shown["plan"]["rows"]["reference"] == 1
    assert await house.read(f"{DESK}/{shown['id']}") == shown
    assert (await house.get(f"{DESK}/{shown['id']}/certificate")).status_code == 404
    assert (await house.send(ticket(who))) is not None


async def test_who_is_not_known_is_not_found(house: DeskHouse) -> None:
    named = await house.ask("erasure", identifiers={"email": an_email()})
    by_subject = await house.ask("access", subject=str(uuid4()))

    assert (named.status_code, named.json()["code"]) == (404, "person_not_found")
    assert (by_subject.status_code, by_subject.json()["code"]) == (404, "person_not_found")
    for path in ("", "/certificate", "/export"):
        found = await house.get(f"{DESK}/{uuid4()}{path}")
        assert (found.status_code, found.json()["code"]) == (404, "privacy_request_not_found")


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({}, ""),
        ({"identifiers": {}}, "/identifiers"),
        ({"identifiers": {"email": "no mail"}}, "/identifiers/email"),
        ({"identifiers": {"E mail": "a@b.de"}}, "/identifiers/E mail"),
        ({"identifiers": {"order": "O-1"}}, "/identifiers/order"),
        ({"identifiers": {"user_id": "null"}}, "/identifiers/user_id"),
        ({"identifiers": {"user_id": "u"}, "subject": str(uuid4())}, ""),
        ({"subject": "u-1"}, "/subject"),
        ({"identifiers": {"user_id": "u"}, "reason": "x"}, "/reason"),
        ({"identifiers": {"user_id": 7}}, "/identifiers/user_id"),
    ],
)
async def test_what_names_nobody_is_refused_with_its_field(
    house: DeskHouse, asked: dict[str, Any], pointer: str
) -> None:
    answer = await house.ask("access", **asked)

    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_there_are_two_kinds_of_requests(house: DeskHouse) -> None:
    answer = await house.ask("rectification", identifiers={"user_id": "u"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/kind"


async def test_the_identifiers_of_two_people_are_not_one_request(house: DeskHouse) -> None:
    ada, bob = {"user_id": a_user()}, {"email": an_email()}
    token = await house.send(ticket(ada), ticket(bob))

    answer = await house.ask("erasure", token=token, identifiers=ada | bob)

    assert (answer.status_code, answer.json()["code"]) == (409, "several_people")
    assert len(answer.json()["subjects"]) == 2


async def test_an_identifier_that_names_nobody_is_told(house: DeskHouse) -> None:
    who = {"user_id": a_user()}
    token = await house.send(ticket(who))

    answer = await house.ask("access", token=token, identifiers={**who, "email": an_email()})

    assert answer.status_code == 201
    assert answer.json()["unknown"] == ["email"]


@pytest.mark.parametrize("caller", ["publisher", "agent", "ops", "reader"])
async def test_only_the_desks_own_scope_opens_it(house: DeskHouse, caller: str) -> None:
    answer = await house.ask("access", caller=caller, identifiers={"user_id": "u"})

    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


async def test_a_request_waits_for_what_was_sent_before_it(house: DeskHouse) -> None:
    who = {"user_id": a_user()}

    token = await house.send(ticket(who), ticket(who), ticket(who))
    lines = await house.export(token=token, **who)

    assert lines[-1]["events"] == 3


async def test_whoever_asks_is_written_down(house: DeskHouse) -> None:
    who = {"user_id": a_user()}
    token = await house.send(ticket(who))

    lines = await house.export(token=token, **who)

    assert lines
    subject = await house.keyring.find("user_id", who["user_id"])
    reads = (await house.read(f"/v1/ops/audit?person={subject}"))["reads"]
    assert [(one["action"], one["personal"]) for one in reads] == [
        ("export", True),
        ("access request", False),
    ]
