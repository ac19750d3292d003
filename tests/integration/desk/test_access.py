"""What a person is given of their own data: everything, and so that it can be sent again."""

from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

import pytest

from tests.integration.desk.conftest import another_house
from tests.support.desk_house import DeskHouse
from tests.support.fixtures import MakeDatabase
from tests.support.ingest_house import Secrets, a_user, an_id
from tests.support.privacy import an_email
from tests.support.publishers import cloudevent

REFUSED: Final = {"forbidden_type", "not_allowed", "bad_attribute"}
"""Codes under which ingest refuses what is no event of a publisher's."""

OWN: Final = {
    *("subject", "subjects", "linked", "event", "key", "source", "since", "recordedtime"),
    *("position", "meta", "context", "from_subject", "previous_subject"),
}
"""Members of an answer that belong to one house."""


@pytest.fixture(scope="module")
async def other(
    new_database: MakeDatabase, secrets: Secrets, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[DeskHouse]:
    """A fresh house, with another keyring and another log."""
    spool = tmp_path_factory.mktemp("other")
    async with another_house(new_database, secrets, spool) as opened:
        yield opened


def a_life(who: dict[str, str]) -> list[dict[str, Any]]:
    """Events of all shapes, by several names of one person."""
    cookie = {"anonymous_id": an_id()}
    user = {"user_id": who["user_id"]}
    shop, order, ticket = "/shop", f"O-{an_id()}", f"T-{an_id()}"
    told: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("page.viewed.v1", {"url": "https://shop.example/a", "identifiers": cookie}, {}),
        ("customer.created.v1", {
            "first_name": "Ada", "email": who["email"], "tz": "Europe/Berlin", "identifiers": user,
        }, {"channel": "web", "correlationid": "c-1"}),
        ("customer.identified.v1", {
            "traits": {"plan": "pro", "nested": {"a": [1, 2.5, None]}},
            "identifiers": {**user, **cookie, "phone": "+49 30 901820", "loyalty_id": "L-7"},
        }, {"page": "/pricing"}),
        ("order.placed.v1", {
            "order": order, "amount": 12900, "currency": "EUR", "identifiers": user,
            "properties": {"gift": "for Bob"},
        }, {"channel": "web"}),
        ("custom.signed_waiver.v1", {
            "name": "Signed Waiver", "properties": {"where": "Alps"}, "identifiers": user,
        }, {}),
        ("ticket.created.v1", {
            "ticket": ticket, "subject": "Late", "body": "Where is it?", "identifiers": user,
        }, {"channel": "email", "initiatedby": "customer", "historical": True}),
        ("customer.aliased.v1", {
            "previous_id": f"old-{an_id()}", "user_id": who["user_id"],
        }, {}),
        ("customer.merged.v1", {
            "from": {"crm_id": an_id(), "email": an_email()}, "identifiers": user, "actor": "eve",
        }, {}),
        ("consent.granted.v1", {
            "purpose": "marketing", "channel": "email", "identifiers": user,
        }, {"channel": "web"}),
    ]  # fmt: skip
    return [
        cloudevent(
            type_, data, id=an_id(), source=shop, time=f"2026-03-0{n}T12:00:00.123456Z", **more
        )
        for n, (type_, data, more) in enumerate(told, 1)
    ]


async def send_all(house: DeskHouse, lines: Iterable[dict[str, Any]]) -> tuple[str, set[str]]:
    """The export put into another house as it is; the token, and codes of what was refused."""
    answer = await house.ingest.send("/v1/events", list(lines), caller="everything")
    return answer["consistency_token"], {one["code"] for one in answer["rejected"]}


def told(document: Any) -> Any:  # noqa: ANN401 - any JSON
    """An answer without what belongs to one house."""
    if isinstance(document, dict):
        return {name: told(value) for name, value in document.items() if name not in OWN}
    if isinstance(document, list):
        return [told(value) for value in document]
    return document


async def shown(house: DeskHouse, who: dict[str, str], token: str) -> tuple[Any, Any]:
    """Profile and timeline of the person."""
    ref = f"user_id:{who['user_id']}"
    profile = await house.read(f"/v1/profiles/{ref}", token)
    # They come in the order in which the house learned of them.
    profile["identities"].sort(key=lambda one: (one["kind"], one["value"]))
    timeline = await house.read(f"/v1/profiles/{ref}/timeline?limit=200", token)
    # Changes of stage come by themselves, a little later.
    return told(profile), [
        told(one) for one in timeline["events"] if not one["type"].startswith("lifecycle.")
    ]


@pytest.mark.parametrize("source", [None, "/another-house"])
async def test_what_was_exported_makes_the_same_profile_in_another_house(
    house: DeskHouse, other: DeskHouse, source: str | None
) -> None:
    who = {"user_id": a_user(), "email": an_email()}
    token = await house.send(*a_life(who))

    lines = await house.export(token=token, **who)
    resent = [line if source is None else {**line, "source": source} for line in lines]
    again, refused = await send_all(other, resent)

    assert [line["type"] for line in lines[: lines[-1]["events"]]] == [
        event["type"] for event in a_life(who)
    ]
    assert refused <= REFUSED
    assert refused
    assert await shown(other, who, again) == await shown(house, who, token)


async def test_an_export_of_what_was_imported_says_the_same(
    house: DeskHouse, other: DeskHouse
) -> None:
    who = {"user_id": a_user(), "email": an_email()}
    token = await house.send(*a_life(who))
    lines = await house.export(token=token, **who)
    again, _ = await send_all(other, lines)

    twice = await other.export(token=again, **who)

    def events(exported: list[dict[str, Any]]) -> list[dict[str, Any]]:
        own = {"recorded"}
        kept = [line for line in exported if "specversion" in line and "derived" not in line]
        return [{k: v for k, v in line.items() if k not in own} for line in kept]

    assert events(twice) == events(lines)


async def test_personal_words_are_in_the_export_and_what_others_said_is_not(
    house: DeskHouse,
) -> None:
    ada, bob = {"user_id": a_user()}, {"user_id": a_user()}
    secret, other = an_id(), an_id()
    fields = {"ticket": "T", "body": secret, "properties": {secret: [secret]}}
    token = await house.send(
        cloudevent("ticket.created.v1", {**fields, "identifiers": ada}, id=an_id()),
        cloudevent("ticket.created.v1", {"body": other, "ticket": "T", "identifiers": bob}, id="b"),
    )

    first, end = await house.export(token=token, **ada)

    assert first["data"] == {**fields, "identifiers": ada}
    assert end["events"] == 1
    assert other not in str(first)


async def test_what_was_concluded_follows_the_events_and_is_marked(house: DeskHouse) -> None:
    who = {"user_id": a_user(), "email": an_email()}
    token = await house.send(*a_life(who))

    lines = await house.export(token=token, **who)

    derived = [line for line in lines if line.get("derived")]
    assert len(derived) == lines[-1]["conclusions"] > 0
    assert lines[lines[-1]["events"] : -1] == derived
    assert {line["source"] for line in derived} == {"/rapport/profile"}


async def test_segments_surroundings_are_exported(house: DeskHouse) -> None:
    user = a_user()
    call = {
        "type": "track", "event": "Signed Waiver", "userId": user, "messageId": an_id(),
        "context": {"ip": "203.0.113.7", "library": {"name": "analytics.js", "version": "5"}},
    }  # fmt: skip
    answer = await house.ingest.send("/v1/batch", {"batch": [call]}, caller="everything")

    first, _ = await house.export(token=answer["consistency_token"], user_id=user)

    assert "203.0.113.7" in first["context"]
    assert first["library"].startswith("analytics.js")
