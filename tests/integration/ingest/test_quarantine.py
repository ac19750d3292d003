"""Refused events: who sees what of them, and how they come back."""

from typing import Any

import asyncpg
import pytest
from rapport_ingest.quarantine.erasing import forget_erased
from rapport_privacy.keyring import Resolved

from tests.support.ingest_house import Ingest, a_user, an_id
from tests.support.publishers import cloudevent, track


async def _hold(ingest: Ingest, event: dict[str, Any], path: str = "/v1/events") -> dict[str, Any]:
    """Send an event that is refused; its entry in quarantine."""
    answer = await ingest.send(path, event)
    assert answer["rejected"], answer
    [held] = await _held(ingest, str(event.get("id", event.get("messageId"))))
    return held


async def _held(ingest: Ingest, event_id: str, **params: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    page = await ingest.get("/v1/ops/quarantine", event_id=event_id, **params)
    items: list[dict[str, Any]] = page["items"]
    return items


def _bad(**data: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return cloudevent("ticket.created.v1", {"agnet": "eve", **data}, id=an_id())


async def test_the_same_refusal_sent_again_is_counted_and_not_kept_twice(ingest: Ingest) -> None:
    event = _bad()

    await ingest.send("/v1/events", event)
    await ingest.send("/v1/events", event)

    [held] = await _held(ingest, event["id"])
    assert held["seen"] == 2


async def test_what_was_sent_is_shown_only_to_those_who_may_see_personal_data(
    ingest: Ingest,
) -> None:
    held = await _hold(ingest, _bad())

    masked = await ingest.get(f"/v1/ops/quarantine/{held['id']}", caller="masked")
    shown = await ingest.get(f"/v1/ops/quarantine/{held['id']}")

    assert masked["item"]["payload"] is None
    assert masked["meta"]["masked"] == ["payload"]
    assert shown["item"]["payload"]["data"] == {"agnet": "eve"}


async def test_the_row_holds_nothing_of_what_was_sent_in_clear(ingest: Ingest) -> None:
    secret = f"{an_id()}@example.com"
    await _hold(ingest, _bad(**{secret: secret, "body": secret}))

    url = ingest.settings.database.url.replace("+asyncpg", "")
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT * FROM quarantine")
    await connection.close()

    assert rows
    assert secret.encode() not in repr([tuple(row) for row in rows]).encode()


async def test_an_event_is_tried_again_as_it_is(ingest: Ingest) -> None:
    event = cloudevent("ticket.created.v1", {"ticket": "T-1"}, id=an_id())
    await ingest.send("/v1/events", event, caller="agent")
    [held] = await _held(ingest, event["id"])

    tried = await ingest.send("/v1/ops/quarantine:redrive", {"ids": [held["id"]]}, caller="ops")

    assert held["code"] == "forbidden_type"
    assert tried["results"][0]["settled_as"] == "redriven"
    assert await ingest.one(event["id"])
    assert await _held(ingest, event["id"]) == []
    [settled] = await _held(ingest, event["id"], settled=True)
    assert (settled["settled_as"], settled["settled_by"]) == ("redriven", "ops")


async def test_an_event_tried_in_vain_waits_on(ingest: Ingest) -> None:
    held = await _hold(ingest, _bad())

    tried = await ingest.send("/v1/ops/quarantine:redrive", {"ids": [held["id"]]}, caller="ops")

    [result] = tried["results"]
    assert (result["settled_as"], result["code"]) == (None, held["code"])
    assert await _held(ingest, held["event_id"])


async def test_a_mended_event_is_published_under_its_own_id_and_time(ingest: Ingest) -> None:
    user = a_user()
    event = track("Order Completed", revenue="12,50", currency="EUR", order_id="O-7")
    event |= {"messageId": an_id(), "userId": user, "timestamp": "2026-01-02T03:04:05.000Z"}
    held = await _hold(ingest, event, "/v1/track")
    fix = {"id": held["id"], "patch": {"properties": {"revenue": 12.5}}}

    rehearsed = await ingest.send("/v1/ops/quarantine:fix", {**fix, "dry_run": True}, caller="ops")
    waiting = await _held(ingest, event["messageId"])
    fixed = await ingest.send("/v1/ops/quarantine:fix", fix, caller="ops")

    assert (rehearsed["accepted"], len(waiting)) == (True, 1)
    assert fixed["result"]["settled_as"] == "fixed"
    stored = await ingest.one(event["messageId"])
    assert stored.data["amount"] == 1250
    assert stored.envelope.time.isoformat() == "2026-01-02T03:04:05+00:00"
    assert stored.envelope.subject == await ingest.house.keyring.find("user_id", user)


async def test_a_patch_that_does_not_mend_it_says_what_is_still_wrong(ingest: Ingest) -> None:
    held = await _hold(ingest, _bad())

    answer = await ingest.send(
        "/v1/ops/quarantine:fix",
        {"id": held["id"], "patch": {"data": {"agnet": None}}},
        caller="ops",
    )

    assert answer["accepted"] is False
    assert answer["result"]["code"] == "missing"


async def test_discarded_events_wait_no_more(ingest: Ingest) -> None:
    source = f"/{an_id()}"
    held = [await _hold(ingest, _bad() | {"source": source}) for _ in range(2)]
    ids = [one["id"] for one in held]

    answer = await ingest.send("/v1/ops/quarantine:discard", {"ids": ids}, caller="ops")

    assert answer == {"discarded": ids, "more": False}
    assert await _held(ingest, held[0]["event_id"]) == []
    gone = await ingest.post("/v1/ops/quarantine:fix", {"id": ids[0], "patch": {}}, "ops")
    assert (gone.status_code, gone.json()["code"]) == (404, "not_in_quarantine")


async def test_a_long_list_is_read_page_by_page_without_gaps(ingest: Ingest) -> None:
    code = "unknown_field"
    for _ in range(5):
        await _hold(ingest, _bad(ticket="T-1"))

    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = await ingest.get("/v1/ops/quarantine", code=code, limit=2, **cursor)
        seen += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert len(seen) >= 5
    assert seen == sorted(set(seen), reverse=True)


async def test_it_is_searched_by_code_source_and_time(ingest: Ingest) -> None:
    held = await _hold(ingest, _bad())
    event_id, at = held["event_id"], held["received_at"]

    found = await _held(ingest, event_id, source=held["source"], code=held["code"], **{"from": at})

    assert [one["id"] for one in found] == [held["id"]]
    assert await _held(ingest, event_id, code="other") == []
    assert await _held(ingest, event_id, source="/other") == []
    assert await _held(ingest, event_id, to=at) == []


async def test_an_event_that_is_too_large_is_told_by_its_size_only(ingest: Ingest) -> None:
    event = cloudevent("custom.big.v1", {f"p{n}": "x" * 16_000 for n in range(20)}, id=an_id())

    held = await _hold(ingest, event)
    tried = await ingest.send("/v1/ops/quarantine:redrive", {"ids": [held["id"]]}, caller="ops")

    assert (held["code"], held["payload"]) == ("too_large", None)
    assert tried["results"][0]["code"] == "not_kept"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("quarantine:redrive", {}),
        ("quarantine:redrive", {"ids": ["1"]}),
        ("quarantine:discard", {"all": True}),
        ("quarantine:fix", {"id": 1, "patch": []}),
    ],
)
async def test_a_request_that_does_not_say_which_changes_nothing(
    ingest: Ingest, path: str, body: dict[str, Any]
) -> None:
    answer = await ingest.post(f"/v1/ops/{path}", body, "ops")

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


@pytest.mark.parametrize("caller", ["publisher", "agent", "reader"])
async def test_only_operators_look_into_quarantine(ingest: Ingest, caller: str) -> None:
    answer = await ingest.client.get("/v1/ops/quarantine", headers=ingest.auth(caller))

    assert answer.status_code == 403


async def test_what_waits_about_an_erased_person_is_deleted(ingest: Ingest) -> None:
    ada, bob = a_user(), a_user()
    about_ada = _bad(body="secret", identifiers={"user_id": ada})
    early = await _hold(ingest, about_ada)
    other = await _hold(ingest, _bad(identifiers={"user_id": bob}))
    keyring = ingest.house.keyring
    (person,) = await keyring.resolve([{"user_id": ada}])
    assert isinstance(person, Resolved)

    await keyring.erase([str(person.subject)], certificate_id=an_id())
    late = await _hold(ingest, _bad(identifiers={"user_id": ada}))
    await forget_erased(ingest.house.engine, keyring)

    left = (await ingest.get("/v1/ops/quarantine", limit=200))["items"]
    ids = {one["id"] for one in left}
    assert other["id"] in ids
    assert not {early["id"], late["id"]} & ids
