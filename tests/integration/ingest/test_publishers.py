"""What publishers are promised of their requests, line by line of docs/publishers.md."""

import asyncio
import base64
import gzip
import zlib
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from rapport_ingest.api.sdk import PATHS
from rapport_runtime.http.consistency import decode_token

from tests.support.ingest_house import Ingest, an_id, batch_of, seen
from tests.support.publishers import cloudevent, track


async def test_line_1_an_sdk_is_answered_exactly_200_and_what_became_of_its_events(
    ingest: Ingest,
) -> None:
    good, bad = seen(), track("Seen") | {"userId": None, "messageId": an_id()}

    answer = await ingest.post("/v1/batch", batch_of(good, bad))

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
    event = seen()

    await ingest.send("/v1/batch", gzip.compress(orjson.dumps(batch_of(event))), headers=headers)

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
        for byte in orjson.dumps(batch_of(event)):
            yield bytes([byte])

    event, auth = seen(), ingest.auth("publisher")
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
        body = batch_of(seen(), **members)
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


async def test_many_callers_at_once_are_all_answered_for_their_own_events(ingest: Ingest) -> None:
    events = [seen() for _ in range(60)]

    answers = await asyncio.gather(*(ingest.send("/v1/track", event) for event in events))

    assert all(answer["accepted"] == 1 for answer in answers)
    stored = await ingest.stored(*(event["messageId"] for event in events))
    assert len({one.envelope.subject for one in stored}) == 60
