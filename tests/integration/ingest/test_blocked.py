"""Identifiers that name nobody, on their way through a running ingest."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rapport_cli.stack.broker import Broker

from tests.integration.ingest.conftest import MakeDatabases
from tests.support.fixtures import MakeTopic
from tests.support.inbound import letter_of, put, work
from tests.support.ingest_house import (
    PARTITIONS,
    Ingest,
    Secrets,
    a_user,
    an_id,
    open_ingest,
    settings_of,
)
from tests.support.publishers import cloudevent

BLOCKED = {"blocked": "email:test@*, phone:+49 (0)30 1234567"}


@pytest.fixture(scope="module")
async def strict(
    broker: Broker,
    topic: MakeTopic,
    databases: MakeDatabases,
    secrets: Secrets,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Ingest]:
    """An ingest whose operator blocks a till's phone and everybody's test mailboxes."""
    spool: Path = tmp_path_factory.mktemp("spool")
    topics = {name: await topic(PARTITIONS) for name in ("interactions", "inbound")}
    settings = settings_of(
        broker.bootstrap, await databases(), secrets, spool, topics=topics, identifiers=BLOCKED
    )
    async with open_ingest(settings, secrets) as running:
        yield running


async def test_customers_who_share_a_blocked_phone_stay_apart(strict: Ingest) -> None:
    ids = [an_id(), an_id()]
    events = [
        cloudevent(
            "ticket.created.v1",
            {"ticket": id_, "identifiers": {"user_id": a_user(), "phone": "0049 30 1234567"}},
            id=id_,
        )
        for id_ in ids
    ]

    answer = await strict.send("/v1/events?debug=1", events)

    one, other = await strict.stored(*ids)
    assert one.envelope.linked is other.envelope.linked is None
    assert one.envelope.identifiedby == "user_id"
    assert await strict.house.keyring.find("phone", "+49301234567") is None
    assert [event["identity"]["left_out"][0]["code"] for event in answer["events"]] == [
        "blocked_identifier",
        "blocked_identifier",
    ]
    assert "1234567" not in str(answer)


async def test_an_event_that_names_only_nobody_is_kept_and_belongs_to_nobody(
    strict: Ingest,
) -> None:
    ids = [an_id() for _ in range(3)]
    mailboxes = ["Test@acme.de", "null", "test@example.com"]
    events = [
        cloudevent("ticket.created.v1", {"ticket": id_, "identifiers": {"email": mailbox}}, id=id_)
        for id_, mailbox in zip(ids, mailboxes, strict=True)
    ]

    answer = await strict.send("/v1/events?debug=1", events)

    assert (answer["accepted"], answer["rejected"]) == (3, [])
    assert [stored.envelope.subject for stored in await strict.stored(*ids)] == [None] * 3
    assert [event["identity"]["left_out"][0]["code"] for event in answer["events"]] == [
        "blocked_identifier",
        "placeholder_identifier",
        "placeholder_identifier",
    ]


async def test_the_dry_run_tells_what_would_be_left_out(strict: Ingest) -> None:
    event = cloudevent(
        "ticket.created.v1",
        {"ticket": "T-1", "identifiers": {"user_id": a_user(), "email": "test@acme.de"}},
    )

    answer = await strict.send("/v1/events:validate", event)

    [understood] = answer["events"]
    assert understood["identity"]["kinds"] == ["user_id"]
    assert understood["identity"]["left_out"][0]["pointer"] == "/identifiers/email"


async def test_operators_see_how_much_is_left_out(strict: Ingest) -> None:
    identifiers = {"user_id": a_user(), "email": "test@acme.de"}
    event = cloudevent("ticket.created.v1", {"ticket": "T-1", "identifiers": identifiers})

    await strict.send("/v1/events", event)

    shown = (await strict.client.get("/metrics")).text
    [line] = [
        one
        for one in shown.splitlines()
        if one.startswith("rapport_ingest_identifiers_left_out_total{")
        and "blocked_identifier" in one
    ]
    assert float(line.rpartition(" ")[2]) >= 1


async def test_what_comes_by_kafka_is_held_to_the_same_list(strict: Ingest) -> None:
    user, event_id = a_user(), an_id()
    said = {"ticket": "T-1", "identifiers": {"user_id": user, "email": "test@acme.de"}}

    places = await put(strict, [letter_of(cloudevent("ticket.created.v1", said, id=event_id))])
    await work(strict, places)

    stored = await strict.one(event_id)
    assert stored.envelope.subject == await strict.house.keyring.find("user_id", user)
    assert stored.envelope.linked is None


async def test_by_default_a_test_mailbox_at_a_real_company_is_somebody(ingest: Ingest) -> None:
    event_id, mailbox = an_id(), f"test@{an_id()}.de"
    said = {"ticket": "T-1", "identifiers": {"email": mailbox}}

    await ingest.send("/v1/events", cloudevent("ticket.created.v1", said, id=event_id))

    stored = await ingest.one(event_id)
    assert stored.envelope.subject == await ingest.house.keyring.find("email", mailbox)
