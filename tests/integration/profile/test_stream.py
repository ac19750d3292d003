"""Agents follow a customer live."""

import asyncio
from typing import Any

import pytest
from rapport_runtime.http.consistency import encode_token

from tests.support.events import NOON, TOPIC, days, new_subject
from tests.support.live_house import LiveHouse, Screen, following, until
from tests.support.privacy import a_name
from tests.support.profile_house import token_of
from tests.support.sealed import told


async def a_customer(live: LiveHouse) -> tuple[dict[str, str], str]:
    """Who has placed an order, and how to name them."""
    who = {"user_id": a_name()}
    await live.tell(await told(live.keyring, who, "order.placed", order="O-1"))
    return who, f"user_id:{who['user_id']}"


async def view_of(live: LiveHouse, ref: str) -> dict[str, Any]:
    found = await live.read(f"/v1/profiles/{ref}")
    del found["meta"]
    return found


async def test_hello_is_the_customer_as_they_are_now(live: LiveHouse) -> None:
    _, ref = await a_customer(live)

    async with following(live, ref, query="?include=orders,identities") as events:
        hello = await until(events, "hello")
    shown = await live.read(f"/v1/profiles/{ref}?include=orders,identities")

    assert hello.data == {"event": "hello", "resumed": False, "profile": shown}
    assert hello.id


async def test_a_change_brings_its_entry_and_the_parts_that_changed(live: LiveHouse) -> None:
    who, ref = await a_customer(live)
    screen = Screen()

    async with following(live, ref, screen) as events:
        await until(events, "hello")
        placed = await told(live.keyring, who, "order.placed", NOON + days(1), order="O-2")
        await live.tell(placed)
        change = await until(events, "change")
    timeline = await live.read(f"/v1/profiles/{ref}/timeline?limit=1")

    assert change.data["entries"] == timeline["events"]
    assert "orders" in change.data["profile"]
    assert "consents" not in change.data["profile"]
    assert screen.view == await view_of(live, ref)


async def test_entries_since_an_old_id_are_told_in_the_order_of_the_log(live: LiveHouse) -> None:
    who, ref = await a_customer(live)
    screen = Screen()
    async with following(live, ref, screen) as events:
        await until(events, "hello")

    missed = [
        await told(live.keyring, who, "page.viewed", NOON + days(n % 7)) for n in range(250)
    ]  # fmt: skip
    await live.tell(*missed)
    async with following(live, ref, screen) as events:
        hello = await until(events, "hello")
        while len(screen.entries) < len(missed):
            await until(events, "change")

    assert hello.data["resumed"]
    assert list(screen.entries) == [record.key.hex() for record in missed]
    assert [said.data["more"] for said in screen.said[2:]] == [True, True, False]


async def test_the_id_may_stand_in_the_query(live: LiveHouse) -> None:
    who, ref = await a_customer(live)
    async with following(live, ref) as events:
        hello = await until(events, "hello")

    await live.tell(await told(live.keyring, who, "page.viewed"))
    async with following(live, ref, query=f"?last_event_id={hello.id}") as events:
        change = await until(events, "change")

    assert [entry["type"] for entry in change.data["entries"]] == ["page.viewed.v1"]


@pytest.mark.parametrize("nonsense", ["x", "1", "1AAAA", "2" + "A" * 30, "1" + "A" * 20_000, "-1"])
async def test_what_is_no_id_is_refused(live: LiveHouse, nonsense: str) -> None:
    _, ref = await a_customer(live)

    answer = await live.get(live.path(ref), last_event_id=nonsense)

    assert (answer.status_code, answer.json()["code"]) == (400, "last_event_id_malformed")
    assert answer.json()["errors"][0]["pointer"] == "/last-event-id"


async def test_the_id_of_another_customers_stream_is_refused(live: LiveHouse) -> None:
    _, ref = await a_customer(live)
    _, other = await a_customer(live)
    async with following(live, other) as events:
        hello = await until(events, "hello")

    answer = await live.get(live.path(ref), last_event_id=hello.id or "")

    assert (answer.status_code, answer.json()["code"]) == (400, "last_event_id_foreign")


async def test_nobody_is_no_stream(live: LiveHouse) -> None:
    answers = [
        await live.get(live.path(new_subject())),
        await live.get(live.path(new_subject()), "ops"),
        await live.get(live.path(new_subject()), None),
        await live.get(live.path("a.b")),
        await live.get(live.path(new_subject(), "?include=ordres")),
    ]

    assert [answer.status_code for answer in answers] == [404, 403, 401, 422, 422]


async def test_a_stream_begins_no_earlier_than_the_token(live: LiveHouse) -> None:
    who, ref = await a_customer(live)
    second = await told(live.keyring, who, "order.placed", order="O-2")

    opening = asyncio.create_task(first_of(live, ref, token_of(second)))
    await live.tell(second)
    hello = await opening
    late = await live.get(
        live.path(ref), consistency_token=encode_token({(TOPIC, 0): 2**40}), prefer="wait=0"
    )

    assert hello["profile"]["orders"]["count"] == 2
    assert late.status_code == 425


async def first_of(live: LiveHouse, ref: str, token: str) -> dict[str, Any]:
    headers = {"consistency-token": token, "prefer": "wait=10"}
    async with following(live, ref, headers=headers) as events:
        return (await until(events, "hello")).data


async def test_without_the_scope_what_is_personal_is_masked(live: LiveHouse) -> None:
    who, ref = await a_customer(live)

    async with following(live, ref, caller="masked") as events:
        hello = await until(events, "hello")
        note = await told(
            live.keyring, who, "note.added", note="n", pinned=True, personal={"body": "secret"}
        )
        await live.tell(note)
        change = await until(events, "change")

    profile, meta = change.data["profile"], change.data["profile"]["meta"]
    assert hello.data["profile"]["identities"][0]["value"] is None
    assert change.data["entries"][0]["data"]["body"] is None
    assert profile["notes"][0]["body"] is None
    assert {"events[].data.body", "notes[].body"} <= set(meta["masked"])


async def test_each_look_that_is_pushed_is_in_the_audit_trail(live: LiveHouse) -> None:
    who, ref = await a_customer(live)

    async with following(live, ref, headers={"x-purpose": "call c-1"}) as events:
        hello = await until(events, "hello")
        await live.tell(await told(live.keyring, who, "order.placed", order="O-2"))
        await until(events, "change")
        person = hello.data["profile"]["subject"]
        reads = (await live.read(f"/v1/ops/audit?person={person}", "ops"))["reads"]

    assert [(one["action"], one["purpose"]) for one in reads] == [("stream", "call c-1")] * 2
    assert {"entries", "orders"} <= set(reads[0]["fields"])
    assert "identities" not in reads[0]["fields"]
    assert "identities" in reads[1]["fields"]
