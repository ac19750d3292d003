"""What publishers are promised, line by line of the guide for publishers (docs/publishers.md)."""

import asyncio
import base64
import gzip
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from rapport_ingest.api.sdk import PATHS
from rapport_runtime.http.consistency import decode_token

from tests.support.ingest_house import SHOP_ORIGIN, Ingest, a_user, an_id
from tests.support.publishers import call, captured, cloudevent, track


def _batch(*events: dict[str, Any], **around: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {"batch": list(events), **around}


def _seen(user: str | None = None, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return track("Seen") | {"userId": user or a_user(), "messageId": an_id()} | members


async def test_line_1_an_sdk_is_answered_exactly_200_and_what_became_of_its_events(
    ingest: Ingest,
) -> None:
    good, bad = _seen(), track("Seen") | {"userId": None, "messageId": an_id()}

    answer = await ingest.post("/v1/batch", _batch(good, bad))

    document = answer.json()
    token = document.pop("consistency_token")
    detail = document["rejected"][0].pop("detail")
    assert answer.status_code == 200
    assert document == {
        "success": True,
        "accepted": 1,
        "rejected": [{"index": 1, "id": bad["messageId"], "code": "no_identity"}],
        "spooled": 0,
    }
    assert "userId" in detail
    stored = await ingest.one(good["messageId"])
    place = (stored.record.topic, stored.record.partition)
    assert decode_token(token) == {place: stored.record.offset}


async def test_line_2_one_bad_event_never_fails_a_batch_and_is_quarantined_with_its_reason(
    ingest: Ingest,
) -> None:
    source = f"/{an_id()}"
    good = cloudevent("ticket.created.v1", {"ticket": "T-1"}, id=an_id(), source=source)
    bad = cloudevent("ticket.created.v1", {"agnet": "eve"}, id=an_id(), source=source)

    answer = await ingest.send("/v1/events", [good, bad])

    [rejected] = answer["rejected"]
    assert (answer["accepted"], rejected["index"], rejected["id"]) == (1, 1, bad["id"])
    [held] = (await ingest.get("/v1/ops/quarantine", event_id=bad["id"]))["items"]
    assert held["code"] == rejected["code"]
    assert held["payload"] == bad
    assert await ingest.one(good["id"])


@pytest.mark.parametrize(
    ("path", "body", "caller", "status", "code"),
    [
        ("/v1/batch", b'{"batch": [', "publisher", 400, "unreadable_body"),
        ("/v1/events", b"\xff\xfe", "publisher", 400, "unreadable_body"),
        ("/batch/", b"", "publisher", 400, "unreadable_body"),
        ("/v1/track", b"{}", None, 401, "key_missing"),
        ("/v1/events", b"{}", None, 401, "key_missing"),
        ("/v1/track", b"{}", "reader", 403, "missing_scope"),
        ("/v1/batch", b" " * (16 << 20) + b"{}", "publisher", 413, "body_too_large"),
    ],
)
async def test_line_2_only_what_cannot_be_read_or_let_in_fails_as_a_whole(
    ingest: Ingest, path: str, body: bytes, caller: str | None, status: int, code: str
) -> None:
    answer = await ingest.post(path, body, caller)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_line_3_an_error_is_a_problem_document_with_code_and_message_on_top(
    ingest: Ingest,
) -> None:
    answer = await ingest.post("/v1/batch", b"not json")

    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem.keys() >= {"type", "title", "status", "detail", "code", "message", "trace_id"}
    assert problem["status"] == 400
    assert problem["message"] == problem["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"content-encoding": "gzip"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "text/plain"},
    ],
)
async def test_line_4_gzip_is_recognised_by_its_bytes_whatever_the_headers_say(
    ingest: Ingest, headers: dict[str, str]
) -> None:
    event = _seen()

    await ingest.send("/v1/batch", gzip.compress(orjson.dumps(_batch(event))), headers=headers)

    assert await ingest.one(event["messageId"])


async def test_line_4_inflation_is_bounded(ingest: Ingest) -> None:
    bomb = gzip.compress(b" " * (40 << 20))
    dense = zlib.compressobj(9, wbits=31)
    ratio = dense.compress(b"[" + b"0," * (8 << 20)) + dense.flush()

    answers = [await ingest.post("/v1/batch", body) for body in (bomb, ratio)]

    assert [answer.status_code for answer in answers] == [413, 413]


async def test_line_4_chunked_bodies_are_counted_byte_by_byte(ingest: Ingest) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * (1 << 20)

    async def short(event: dict[str, Any]) -> AsyncIterator[bytes]:
        for byte in orjson.dumps(_batch(event)):
            yield bytes([byte])

    event, auth = _seen(), ingest.auth("publisher")
    refused = await ingest.client.post("/v1/batch", content=endless(), headers=auth)
    taken = await ingest.client.post("/v1/batch", content=short(event), headers=auth)

    assert (refused.status_code, taken.status_code) == (413, 200)
    assert await ingest.one(event["messageId"])


@pytest.mark.parametrize("path", sorted([*PATHS, "/batch", "/capture", "/e", "/v1/events"]))
async def test_line_5_every_path_answers_with_and_without_trailing_slash(
    ingest: Ingest, path: str
) -> None:
    path = path.replace("{call}", "track")

    answers = [await ingest.post(path + slash, {}) for slash in ("", "/", "//")]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert not any(answer.history for answer in answers)


async def test_line_6_the_key_is_taken_from_wherever_a_client_puts_it(ingest: Ingest) -> None:
    key = ingest.secrets.keys["publisher"]
    basic = base64.b64encode(f"{key}:".encode()).decode()
    places: list[tuple[dict[str, str], dict[str, str]]] = [
        ({"authorization": f"Basic {basic}"}, {}),
        ({"authorization": f"Bearer {key}"}, {}),
        ({"x-write-key": key}, {}),
        ({"x-write-key": f"kid:{key}"}, {}),
        ({}, {"writeKey": key}),
        ({}, {"api_key": key}),
    ]

    for headers, members in places:
        body = _batch(_seen(), **members)
        answer = await ingest.post("/v1/batch", body, None, headers)
        assert answer.json()["accepted"] == 1, (headers.keys(), members.keys())


async def test_line_6_a_key_in_a_body_is_not_kept_with_what_is_quarantined(ingest: Ingest) -> None:
    key, event_id = ingest.secrets.keys["publisher"], an_id()

    answer = await ingest.post(
        "/v1/track", {"messageId": event_id, "writeKey": key, "token": key}, None
    )

    assert answer.json()["rejected"]
    held = await ingest.get("/v1/ops/quarantine", event_id=event_id)
    assert held["items"][0]["payload"] == {"messageId": event_id}


async def test_line_6_a_wrong_key_is_refused_whatever_the_body_is(ingest: Ingest) -> None:
    wrong = ingest.secrets.keys["publisher"][:-1]
    headers = {"authorization": f"Bearer {wrong}"}

    answers = [await ingest.post("/v1/batch", body, None, headers) for body in (b"{}", b"}{")]

    assert [answer.status_code for answer in answers] == [401, 401]


async def test_line_7_an_event_sent_again_is_the_same_event(ingest: Ingest) -> None:
    event = _seen(messageId=f"node-next-1795324124375-{an_id()}")
    body = _batch(event, sentAt="2026-11-22T05:08:44.375Z")

    for _ in range(2):
        await ingest.send("/v1/batch", body)
    await ingest.send("/v1/batch", _batch(last := _seen(event["userId"])))

    [first, again, _] = await ingest.stored(event["messageId"], last["messageId"])
    assert (first.envelope.source, first.envelope.id) == (again.envelope.source, again.envelope.id)
    assert first.envelope.fingerprint == again.envelope.fingerprint
    assert first.envelope.subject == again.envelope.subject


async def test_line_7_other_content_under_the_same_id_is_told_apart(ingest: Ingest) -> None:
    event = _seen()

    await ingest.send("/v1/batch", _batch(event))
    await ingest.send("/v1/batch", _batch(event | {"properties": {"other": True}}))
    await ingest.send("/v1/batch", _batch(last := _seen(event["userId"])))

    [first, other, _] = await ingest.stored(event["messageId"], last["messageId"])
    assert first.envelope.fingerprint != other.envelope.fingerprint


async def test_line_8_a_clock_that_is_wrong_is_corrected_by_when_the_request_was_sent(
    ingest: Ingest,
) -> None:
    behind = datetime.now(UTC) - timedelta(days=400)
    event = _seen(timestamp=(behind - timedelta(minutes=10)).isoformat())
    late = _seen(originalTimestamp=(behind - timedelta(hours=1)).isoformat())

    await ingest.send("/v1/batch", _batch(event, late, sentAt=behind.isoformat()))

    for sent, ago in ((event, timedelta(minutes=10)), (late, timedelta(hours=1))):
        stored = await ingest.one(sent["messageId"])
        said = sent.get("timestamp", sent.get("originalTimestamp"))
        error = stored.envelope.recordedtime - ago - stored.envelope.time
        assert abs(error) < timedelta(seconds=5)
        assert stored.data["context"]["clock"]["original"] == said


async def test_line_8_nulls_numbers_and_traits_in_context_are_understood(ingest: Ingest) -> None:
    number, email = int(an_id()[:12], 16), f"{an_id()}@example.com"
    event = call(
        "identify",
        userId=number,
        anonymousId=None,
        messageId=an_id(),
        context={"traits": {"email": email, "plan": "pro"}},
        integrations={"All": True},
        _metadata={"nodeVersion": "20"},
    )

    await ingest.send("/v1/batch", _batch(event))

    stored = await ingest.one(event["messageId"])
    assert stored.personal["traits"] == {"email": email, "plan": "pro"}
    assert stored.envelope.subject == await ingest.house.keyring.find("user_id", str(number))
    assert stored.envelope.linked == await ingest.house.keyring.find("email", email)
    assert stored.envelope.identifiedby == "user_id,email"


async def test_line_9_an_alias_links_the_previous_id_to_the_new_one(ingest: Ingest) -> None:
    anonymous, user = an_id(), a_user()
    event = call("alias", previousId=anonymous, userId=user, messageId=an_id())

    await ingest.send("/v1/alias", event)

    stored = await ingest.one(event["messageId"])
    subject = await ingest.house.keyring.find("user_id", user)
    assert stored.envelope.type == "customer.aliased.v1"
    assert stored.envelope.subject == subject
    assert stored.data["previous_subject"] in stored.envelope.linked_subjects
    visitor = await ingest.house.keyring.find("anonymous_id", anonymous)
    assert visitor in stored.envelope.linked_subjects
    assert [stored.envelope.kinds[one or ""] for one in (subject, visitor)] == [
        "user_id",
        "anonymous_id",
    ]


async def test_line_9_posthog_aliases_link_both_ids_whichever_is_the_old_one(
    ingest: Ingest,
) -> None:
    one, other = a_user(), an_id()
    events = [
        captured("$create_alias", distinct_id=a, properties={"alias": b}, uuid=an_id())
        for a, b in ((one, other), (other, one))
    ]

    await ingest.send("/batch/", {"batch": events})

    linked = []
    for event in events:
        stored = await ingest.one(event["uuid"])
        linked.append({stored.envelope.subject, *stored.envelope.linked_subjects})
    assert linked[0] == linked[1]
    assert len(linked[0]) > 1


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
    mine = await ingest.post("/v1/t", _seen(), "page", headers)
    foreign = {**headers, "origin": "https://evil.example"}
    theirs = await ingest.post("/v1/t", _seen(), "page", foreign)

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


@pytest.mark.parametrize("missing", ["id", "source", "type", "specversion"])
async def test_line_13_nothing_is_invented_for_a_cloudevent_that_lacks_it(
    ingest: Ingest, missing: str
) -> None:
    event = cloudevent("page.viewed.v1", {}, id=an_id())
    del event[missing]

    answer = await ingest.send("/v1/events", event)

    assert [one["code"] for one in answer["rejected"]] == ["bad_attribute"]
    assert missing in answer["rejected"][0]["detail"]


async def test_line_13_a_cloudevent_names_its_customer_in_its_data(ingest: Ingest) -> None:
    user, email, crm = a_user(), f"{an_id()}@Example.com", an_id()
    identifiers = {"user_id": user, "email": email, "crm_id": crm}
    event = cloudevent(
        "order.placed.v1",
        {"order": "O-1", "identifiers": identifiers},
        id=an_id(),
        channel="store",
        correlationid="O-1",
        initiatedby="customer",
    )

    await ingest.send("/v1/events", event)

    stored = await ingest.one(event["id"])
    find = ingest.house.keyring.find
    others = {await find("email", email.lower()), await find("crm_id", crm)}
    assert stored.envelope.subject == await find("user_id", user)
    assert set(stored.envelope.linked_subjects) == others
    assert stored.envelope.source == "/erp"
    assert (stored.envelope.channel, stored.envelope.correlationid) == ("store", "O-1")
    assert "identifiers" not in stored.data


async def test_line_13_headers_are_percent_decoded_and_base64_is_read(ingest: Ingest) -> None:
    event_id, other_id = f"Zoë €/{an_id()}", an_id()
    headers = {
        "ce-specversion": "1.0",
        "ce-id": f"Zo%C3%AB%20%E2%82%AC/{event_id.rpartition('/')[2]}",
        "ce-source": "/shop",
        "ce-type": "page.viewed.v1",
    }
    encoded = base64.b64encode(b'{"page": "home"}').decode()
    event = cloudevent("page.viewed.v1", id=other_id, data_base64=encoded)

    await ingest.send("/v1/events", {"page": "home"}, headers=headers)
    await ingest.send("/v1/events", event)

    stored = await ingest.stored(event_id, other_id)
    assert [one.data["page"] for one in stored] == ["home", "home"]


async def test_line_13_binary_mode_without_data_is_an_event_like_any_other(ingest: Ingest) -> None:
    event_id = an_id()
    headers = {
        "ce-specversion": "1.0",
        "ce-id": event_id,
        "ce-source": "/shop",
        "ce-type": "session.started.v1",
    }

    answer = await ingest.send("/v1/events", b"", headers=headers)

    assert answer["accepted"] == 1, answer
    assert (await ingest.one(event_id)).record.value


_POISON: list[tuple[bytes, str]] = [
    (b'{"a": ' * 40 + b"1" + b"}" * 40, "too_deep"),
    (b"{" + b",".join(b'"k%d": 1' % number for number in range(1_001)) + b"}", "too_many_keys"),
    (b'{"a": "' + b"x" * (17 << 10) + b'"}', "string_too_long"),
    (b'{"a": 9223372036854775808}', "integer_too_large"),
    (b'{"a": 1e400}', "not_finite"),
    (b'{"a": NaN}', "not_finite"),
    (b'{"a": "\\u0000"}', "nul"),
    (b'{"a": "\\ud800"}', "lone_surrogate"),
    (b'{"a": 1, "a": 2}', "repeated_key"),
]


@pytest.mark.parametrize(("properties", "code"), _POISON, ids=[code for _, code in _POISON])
async def test_line_14_what_would_be_poison_later_is_refused_and_the_rest_is_taken(
    ingest: Ingest, properties: bytes, code: str
) -> None:
    good, bad_id = _seen(), an_id()
    bad = b'{"type":"track","event":"X","userId":"u","messageId":"%s","properties":%s}' % (
        bad_id.encode(),
        properties,
    )

    answer = await ingest.send("/v1/batch", b'{"batch":[%s,%s]}' % (orjson.dumps(good), bad))

    assert answer["accepted"] == 1
    assert [(one["id"], one["code"]) for one in answer["rejected"]] == [(bad_id, code)]
    assert await ingest.one(good["messageId"])
    [held] = (await ingest.get("/v1/ops/quarantine", event_id=bad_id))["items"]
    assert held["payload"]


async def test_line_14_text_is_kept_in_one_spelling(ingest: Ingest) -> None:
    event = _seen(properties={"name": "Zoe\u0308"})

    await ingest.send("/v1/batch", _batch(event))

    stored = await ingest.one(event["messageId"])
    assert stored.personal["properties"] == {"name": "Zo\u00eb"}


async def test_line_15_debug_answers_what_was_understood_and_where_it_went(
    ingest: Ingest,
) -> None:
    event = _seen(properties={"secret": 1}, context={"traits": {"email": f"{an_id()}@example.com"}})

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
    await ingest.send("/v1/track", marker := _seen(user))

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
        "/v1/events:validate?adapter=segment", _batch(_seen(), writeKey=key), None
    )

    assert answer.json()["valid"] is True


# Line 16, events that come by Kafka: test_inbound.py.


async def test_an_event_without_identifiers_is_kept_and_belongs_to_nobody(ingest: Ingest) -> None:
    event = cloudevent("form.submitted.v1", {"form_id": "f", "fields": {"q": "a"}}, id=an_id())

    await ingest.send("/v1/events", event)

    stored = await ingest.one(event["id"])
    assert stored.envelope.subject is None
    assert stored.personal["fields"] == {"q": "a"}
    assert stored.record.key.decode() == stored.envelope.partitionkey


async def test_many_callers_at_once_are_all_answered_for_their_own_events(ingest: Ingest) -> None:
    events = [_seen() for _ in range(60)]

    answers = await asyncio.gather(*(ingest.send("/v1/track", event) for event in events))

    assert all(answer["accepted"] == 1 for answer in answers)
    stored = await ingest.stored(*(event["messageId"] for event in events))
    assert len({one.envelope.subject for one in stored}) == 60
