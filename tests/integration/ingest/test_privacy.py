"""Promise R14: nothing personal leaves ingest in clear. And nobody comes back after an erasure."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from rapport_cli.stack.broker import Broker
from rapport_runtime.logs import configure_logs
from rapport_runtime.settings import LogSettings

from tests.integration.ingest.conftest import MakeDatabases
from tests.support.fixtures import MakeTopic
from tests.support.ingest_house import (
    PARTITIONS,
    Ingest,
    Secrets,
    a_user,
    an_id,
    open_ingest,
    settings_of,
)
from tests.support.publishers import call, captured, cloudevent, track

CANARY = "canary4711"
"""In whatever a publisher may say of a person, and in nothing else."""

EMAIL = f"{CANARY}@example.com"
USER = f"u-{CANARY}"


@pytest.fixture
def logged(capfd: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Logs at their most talkative, as a service writes them."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    configure_logs(LogSettings(level="debug"))
    yield capfd
    root.handlers, root.level = handlers, level


def _sent_by_sdks() -> list[tuple[str, Any]]:
    person = {"userId": USER, "context": {"ip": CANARY, "traits": {"email": EMAIL}}}
    traits = {"email": EMAIL, "name": CANARY, "address": {"street": CANARY}}
    properties = {"note": CANARY, CANARY: 1, "url": f"https://x.y/?{CANARY}"}
    events = [
        call("identify", traits=traits),
        call("track", event="Order Completed", properties=properties),
        call("track", event="Quiz Finished", properties=properties),
        call("page", name="Home", properties=properties),
        call("group", groupId="acme", traits=traits),
        call("alias", previousId=f"anon-{CANARY}"),
        call("track", event="Product Reviewed", properties=properties | {"product_id": "p"}),
        # Refused, each for another reason.
        call("track", properties=properties),
        call("track", event="Order Completed", properties=properties | {"revenue": CANARY}),
        call("track", event="ticket.created.v1", properties={CANARY: CANARY}),
        call("page", timestamp=CANARY),
        call("track", event="X", properties={"deep": [[[CANARY]]] * 2_000}),
    ]
    batch = [event | person | {"messageId": an_id()} for event in events]
    posthog = [
        captured("$set", distinct_id=USER, uuid=an_id(), **{"$set": traits}),
        captured("Quiz", distinct_id=USER, uuid=an_id(), properties=properties | {"$ip": CANARY}),
        captured("$create_alias", distinct_id=USER, uuid=an_id(), properties={"note": CANARY}),
    ]
    return [("/v1/batch?debug=1", {"batch": batch}), ("/batch/", {"batch": posthog})]


def _sent_as_cloudevents() -> list[tuple[str, Any]]:
    who = {"user_id": USER, "email": EMAIL, "phone": "+49 30 901820", "crm_id": CANARY}
    datas: list[tuple[str, dict[str, Any]]] = [
        ("ticket.created.v1", {"ticket": "T", "subject": CANARY, "body": CANARY}),
        ("customer.created.v1", {"email": EMAIL, "first_name": CANARY}),
        ("note.added.v1", {"note": "n", "body": CANARY, "mentions": [CANARY]}),
        ("customer.merged.v1", {"from": {"email": f"other-{EMAIL}"}, "reason": "same"}),
        ("ticket.created.v1", {"tikcet": CANARY, EMAIL: CANARY}),
        ("ticket.created.v1", {"ticket": {"name": CANARY}}),
        ("tikcet.created.v1", {"body": CANARY}),
        ("kpi.restated.v1", {"kpi": CANARY}),
    ]
    events = [cloudevent(t, {**d, "identifiers": who}, id=an_id()) for t, d in datas]
    events.append(cloudevent("ticket.created.v1", {"identifiers": {"email": CANARY}}, id=an_id()))
    events.append(cloudevent("page.viewed.v1", {"title": CANARY}, id=an_id(), subject=EMAIL))
    return [("/v1/events", events), ("/v1/events:validate", events)]


async def test_nothing_personal_is_found_in_topic_log_metrics_quarantine_or_spool(
    broker: Broker,
    topic: MakeTopic,
    databases: MakeDatabases,
    secrets: Secrets,
    tmp_path: Path,
    logged: pytest.CaptureFixture[str],
) -> None:
    urls = await databases()
    topics = {name: await topic(PARTITIONS) for name in ("interactions", "inbound")}
    sent = _sent_by_sdks() + _sent_as_cloudevents()
    marker = track("Seen") | {"userId": a_user(), "messageId": an_id()}
    settings = settings_of(broker.bootstrap, urls, secrets, tmp_path, topics=topics)
    away = settings_of("127.0.0.1:1", urls, secrets, tmp_path, topics=topics)

    async with open_ingest(settings, secrets) as ingest:
        answers = [await ingest.send(path, body) for path, body in sent]
        unreadable = await ingest.post("/v1/batch", f'{{"email": "{EMAIL}'.encode())
        await ingest.send("/v1/track", marker)
        await ingest.in_log([marker["messageId"]])
        metrics = (await ingest.client.get("/metrics")).content
        records = [
            bytes(repr((one.key, one.value, one.headers)), "utf-8") for one in ingest.records
        ]
    async with open_ingest(away, secrets, reading=False) as ingest:
        spooled = [await ingest.send(path, body) for path, body in sent[:3]]
        spool = _files(tmp_path)
    rows = [await _every_row(url) for url in urls]
    said = logged.readouterr()

    assert sum(answer["accepted"] for answer in answers) >= 15
    assert sum(len(answer["rejected"]) for answer in answers) >= 10
    assert sum(answer["spooled"] for answer in spooled) >= 10
    places = {
        "topic": records,
        "metrics": [metrics],
        "spool": spool,
        "databases": rows,
        "logs": [said.out.encode(), said.err.encode()],
        "answers": [repr(answer).encode() for answer in answers if "events" not in answer],
        "problem": [unreadable.content],
    }
    assert said.err
    assert all(any(found) for found in places.values())
    assert [place for place, found in places.items() if CANARY.encode() in b"".join(found)] == []


def _files(directory: Path) -> list[bytes]:
    return [path.read_bytes() for path in directory.rglob("*") if path.is_file()]


async def _every_row(url: str) -> bytes:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = [await connection.fetch(f'SELECT * FROM "{name}"') for (name,) in tables]  # noqa: S608
    await connection.close()
    return repr([[tuple(row) for row in found] for found in rows]).encode()


async def test_what_is_sent_of_an_erased_person_is_refused_counted_and_kept_nowhere(
    ingest: Ingest,
) -> None:
    user, other = a_user(), a_user()
    before = track("Seen") | {"userId": user, "messageId": an_id()}
    await ingest.send("/v1/track", before)
    subject = await ingest.house.keyring.find("user_id", user)
    assert subject is not None
    await ingest.house.keyring.erase([subject], certificate_id=an_id())
    late = before | {"messageId": an_id()}
    alias = call("alias", userId=other, previousId=user, messageId=an_id())
    fine = track("Seen") | {"userId": other, "messageId": an_id()}

    answer = await ingest.send("/v1/batch", {"batch": [late, alias, fine]})

    assert [one["code"] for one in answer["rejected"]] == ["erased", "erased"]
    assert answer["accepted"] == 1
    await ingest.in_log([fine["messageId"]])
    kept = {dict(one.headers)["ce_id"].decode() for one in ingest.records}
    for event in (late, alias):
        assert event["messageId"] not in kept
        held = await ingest.get("/v1/ops/quarantine", event_id=event["messageId"], settled=True)
        assert held["items"] == []
    metrics = (await ingest.client.get("/metrics")).text
    assert 'rapport_ingest_events_rejected_total{adapter="segment",code="erased"}' in metrics


@pytest.mark.parametrize(
    ("type_", "data", "allowed"),
    [
        ("note.added.v1", {"note": "n-1", "body": "Call after 5"}, True),
        ("task.created.v1", {"task": "t-1"}, True),
        ("commitment.made.v1", {"commitment": "c-1"}, True),
        ("customer.merged.v1", {"from": {"user_id": "old"}}, True),
        ("customer.unmerged.v1", {"merge_event_id": "e-1"}, True),
        ("order.placed.v1", {"order": "O-1"}, False),
        ("ticket.created.v1", {"ticket": "T-1"}, False),
        ("custom.anything.v1", {}, False),
        ("profile.viewed.v1", {}, False),
    ],
)
async def test_an_agents_key_sends_agents_work_only(
    ingest: Ingest, type_: str, data: dict[str, Any], *, allowed: bool
) -> None:
    event = cloudevent(type_, {**data, "identifiers": {"user_id": a_user()}}, id=an_id())

    answer = await ingest.send("/v1/events", event, caller="agent")

    codes = [one["code"] for one in answer["rejected"]]
    assert codes == ([] if allowed else ["forbidden_type"])


@pytest.mark.parametrize("type_", ["customer.erased.v1", "kpi.restated.v1", "decision.made.v1"])
async def test_no_publisher_says_what_only_rapport_can_know(ingest: Ingest, type_: str) -> None:
    event = cloudevent(type_, {"identifiers": {"user_id": a_user()}}, id=an_id())

    answer = await ingest.send("/v1/events", event)

    assert [one["code"] for one in answer["rejected"]] == ["forbidden_type"]


async def test_what_an_agent_does_for_nobody_is_refused_and_not_lost(ingest: Ingest) -> None:
    note = cloudevent("note.added.v1", {"note": "n-1", "body": "hello"}, id=an_id())
    unmerge = cloudevent("customer.unmerged.v1", {"merge_event_id": "e-1"}, id=an_id())

    refused = await ingest.send("/v1/events", note, caller="agent")
    taken = await ingest.send("/v1/events", unmerge, caller="agent")

    assert [one["code"] for one in refused["rejected"]] == ["missing_identifiers"]
    assert taken["accepted"] == 1
