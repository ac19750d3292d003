"""The doors for publishers' events, line by line of docs/publishers.md."""

from typing import Any

import pytest

from tests.support.ingest_house import SHOP_ORIGIN, Ingest, a_user, an_id, batch_of, seen
from tests.support.publishers import captured, cloudevent

# Line 10, a broker that is away, needs a broker of its own: test_spool.py.


async def test_line_11_a_browser_may_post_from_the_origins_of_its_key_only(
    ingest: Ingest,
) -> None:
    asking = {"access-control-request-method": "POST"}
    allowed = await ingest.client.options("/v1/t", headers={"origin": SHOP_ORIGIN, **asking})
    foreign = {"origin": "https://evil.example"}
    refused = await ingest.client.options("/v1/t", headers={**foreign, **asking})

    assert allowed.is_success
    assert allowed.headers["access-control-allow-origin"] == SHOP_ORIGIN
    assert allowed.headers["access-control-max-age"] == "600"
    assert set(allowed.headers["access-control-allow-headers"].lower().split(", ")) == {
        "authorization",
        "content-type",
        "x-write-key",
    }
    assert "access-control-allow-origin" not in refused.headers


async def test_line_11_a_browser_sends_text_plain_and_may_read_the_answer(ingest: Ingest) -> None:
    headers = {"origin": SHOP_ORIGIN, "content-type": "text/plain"}
    mine = await ingest.post("/v1/t", seen(), "page", headers)
    foreign = {**headers, "origin": "https://evil.example"}
    theirs = await ingest.post("/v1/t", seen(), "page", foreign)

    assert mine.json()["accepted"] == 1
    assert mine.headers["access-control-allow-origin"] == SHOP_ORIGIN
    assert "origin" in mine.headers["vary"].lower()
    assert theirs.status_code == 403
    assert "access-control-allow-origin" not in theirs.headers


@pytest.mark.parametrize(
    ("path", "body", "type_"),
    [
        ("/v1/track", {"event": "Order Completed"}, "order.placed.v1"),
        ("/v1/identify", {"traits": {"plan": "pro"}}, "customer.identified.v1"),
        ("/v1/page", {"name": "Home"}, "page.viewed.v1"),
        ("/v1/screen", {"name": "Home"}, "screen.viewed.v1"),
        ("/v1/group", {"groupId": "acme"}, "customer.grouped.v1"),
        ("/v1/alias", {"previousId": "old"}, "customer.aliased.v1"),
        ("/v1/t", {"event": "Quiz Finished"}, "custom.quiz_finished.v1"),
        ("/v1/i", {"traits": {"plan": "pro"}}, "customer.identified.v1"),
        ("/v1/p", {"name": "Home"}, "page.viewed.v1"),
        ("/v1/s", {"name": "Home"}, "screen.viewed.v1"),
        ("/v1/g", {"groupId": "acme"}, "customer.grouped.v1"),
        ("/v1/a", {"previousId": "old"}, "customer.aliased.v1"),
        ("/v1/batch", {"batch": [{"type": "page"}]}, "page.viewed.v1"),
        ("/v1/import", {"batch": [{"type": "page"}]}, "page.viewed.v1"),
        ("/v1/b", {"batch": [{"type": "page"}]}, "page.viewed.v1"),
        ("/api/s/track", {"event": "Quiz"}, "custom.quiz.v1"),
        ("/api/s/s2s/identify", {"traits": {}}, "customer.identified.v1"),
        ("/batch/", {"batch": [{"event": "$pageview"}]}, "page.viewed.v1"),
        ("/capture/", {"event": "Quiz"}, "custom.quiz.v1"),
        ("/e/", {"event": "$screen"}, "screen.viewed.v1"),
    ],
)
async def test_line_12_every_route_takes_its_events(
    ingest: Ingest, path: str, body: dict[str, Any], type_: str
) -> None:
    event_id, user = an_id(), a_user()
    event = body["batch"][0] if "batch" in body else body
    sent = event | {"userId": user, "distinct_id": user, "messageId": event_id, "uuid": event_id}

    answer = await ingest.send(path, {"batch": [sent]} if "batch" in body else sent)

    assert answer["accepted"] == 1, answer
    stored = await ingest.one(event_id)
    assert stored.envelope.type == type_
    assert stored.envelope.historical is (path == "/v1/import")


async def test_line_12_posthog_clients_also_get_what_they_look_for(ingest: Ingest) -> None:
    good, bad = captured("Quiz", uuid=an_id()), captured("Quiz", uuid=an_id(), distinct_id=None)

    batch = await ingest.send("/batch/", {"batch": [good]})
    analytics = await ingest.send("/i/v1/analytics/events", {"batch": [good, bad]})

    assert batch["status"] == 1
    assert analytics["results"][good["uuid"]] == {"result": "ok"}
    assert analytics["results"][bad["uuid"]]["result"] == "drop"


async def test_line_12_cloudevents_come_structured_binary_and_in_batches(ingest: Ingest) -> None:
    data = {"ticket": "T-1", "body": "Zoë €", "identifiers": {"user_id": a_user()}}
    events = [cloudevent("ticket.created.v1", data, id=an_id()) for _ in range(4)]
    structured = {"content-type": "application/cloudevents+json; charset=utf-8"}
    batch = {"content-type": "application/cloudevents-batch+json"}
    binary = {f"ce-{k}": v for k, v in events[1].items() if k != "data"}

    await ingest.send("/v1/events", events[0], headers=structured)
    await ingest.send("/v1/events", data, headers=binary)
    await ingest.send("/v1/events", events[2:], headers=batch)

    stored = await ingest.stored(*(event["id"] for event in events))
    assert [one.personal["body"] for one in stored] == ["Zoë €"] * 4
    assert len({one.envelope.subject for one in stored}) == 1


async def test_line_12_a_batch_of_cloudevents_has_at_most_500_events(ingest: Ingest) -> None:
    def batch(size: int) -> list[dict[str, Any]]:
        return [cloudevent("page.viewed.v1", {}, id=an_id()) for _ in range(size)]

    taken = await ingest.post("/v1/events", batch(500))
    refused = await ingest.post("/v1/events", batch(501))

    assert taken.json()["accepted"] == 500
    assert (refused.status_code, refused.json()["code"]) == (413, "too_many_events")


async def test_line_12_an_event_has_at_most_64_kib(ingest: Ingest) -> None:
    def padded(strings: int) -> dict[str, Any]:
        properties = {f"p{number}": "x" * 16_000 for number in range(strings)}
        return cloudevent("custom.big.v1", {"properties": properties}, id=an_id())

    answer = await ingest.send("/v1/events", [padded(4), padded(5)])

    assert answer["accepted"] == 1
    assert [(one["index"], one["code"]) for one in answer["rejected"]] == [(1, "too_large")]


async def test_line_12_a_webhook_sender_may_ask_before_it_delivers(ingest: Ingest) -> None:
    answer = await ingest.client.options(
        "/v1/events",
        headers={"webhook-request-origin": "erp.example", "webhook-request-rate": "120"},
    )

    assert answer.is_success
    assert answer.headers["webhook-allowed-origin"] == "erp.example"
    assert answer.headers["webhook-allowed-rate"] == "*"
    assert "POST" in answer.headers["allow"]


async def test_line_15_debug_answers_what_was_understood_and_where_it_went(
    ingest: Ingest,
) -> None:
    event = seen(properties={"secret": 1}, context={"traits": {"email": f"{an_id()}@example.com"}})

    answer = await ingest.send("/v1/track?debug=1", event)

    [understood] = answer["events"]
    stored = await ingest.one(event["messageId"])
    assert understood["type"] == "custom.seen.v1"
    assert understood["identity"] == {
        "kinds": ["email", "user_id"],
        "left_out": [],
        "subject": stored.envelope.subject,
        "linked": list(stored.envelope.linked_subjects),
    }
    assert understood["topic"] == stored.record.topic
    assert understood["partition"] == stored.record.partition
    assert understood["offset"] == stored.record.offset
    assert "properties" in understood["encrypted"]


async def test_line_15_the_dry_run_says_the_same_and_keeps_nothing(ingest: Ingest) -> None:
    user, good_id, bad_id = a_user(), an_id(), an_id()
    data = {"ticket": "T-1", "identifiers": {"user_id": user}}
    good = cloudevent("ticket.created.v1", data, id=good_id)
    bad = cloudevent("ticket.created.v1", {}, id=bad_id)

    answer = await ingest.send("/v1/events:validate", [good, bad])
    known = await ingest.house.keyring.find("user_id", user)
    await ingest.send("/v1/track", marker := seen(user))

    assert (answer["valid"], answer["accepted"]) == (False, 1)
    assert [one["id"] for one in answer["rejected"]] == [bad_id]
    assert answer["events"][0]["identity"] == {
        "kinds": ["user_id"],
        "left_out": [],
        "subject": None,
        "new": True,
    }
    assert known is None
    await ingest.in_log([marker["messageId"]])
    kept = {dict(record.headers)["ce_id"] for record in ingest.records}
    assert kept.isdisjoint({good_id.encode(), bad_id.encode()})
    assert (await ingest.get("/v1/ops/quarantine", event_id=bad_id))["items"] == []


async def test_line_15_the_dry_run_knows_the_sdks_too(ingest: Ingest) -> None:
    key = ingest.secrets.keys["publisher"]

    answer = await ingest.post(
        "/v1/events:validate?adapter=segment", batch_of(seen(), writeKey=key), None
    )

    assert answer.json()["valid"] is True
