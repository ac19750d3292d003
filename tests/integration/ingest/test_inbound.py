"""Line 16: CloudEvents that other systems put straight into the inbound topic."""

import orjson
from rapport_events.catalogue import custom_type
from rapport_ingest.inbound import NAME

from tests.support.inbound import STRUCTURED, Letter, letter_of, put, work
from tests.support.ingest_house import Ingest, a_user, an_id
from tests.support.publishers import cloudevent


async def test_line_16_events_put_on_kafka_go_the_same_way_as_those_by_http(
    ingest: Ingest,
) -> None:
    user = a_user()
    data = {"ticket": "T-1", "body": "secret", "identifiers": {"user_id": user}}
    structured = cloudevent("ticket.created.v1", data, id=an_id())
    binary_id = an_id()
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", binary_id.encode()),
        ("ce_source", b"/erp"),
        ("ce_type", b"ticket.created.v1"),
        ("content-type", b"application/json"),
    ]
    batch = [cloudevent("page.viewed.v1", {}, id=an_id()) for _ in range(2)]

    places = await put(
        ingest,
        [
            letter_of(structured),
            (orjson.dumps(data), headers),
            (orjson.dumps(batch), [("content-type", b"application/cloudevents-batch+json")]),
        ],
    )
    await work(ingest, places)

    stored = await ingest.stored(structured["id"], binary_id)
    subject = await ingest.house.keyring.find("user_id", user)
    assert {one.envelope.subject for one in stored} == {subject}
    assert [one.personal["body"] for one in stored] == ["secret", "secret"]
    assert not any(b"secret" in one.record.value for one in stored)
    assert len(await ingest.stored(*(one["id"] for one in batch))) == 2


async def test_line_16_bad_ones_are_quarantined_with_topic_partition_and_offset(
    ingest: Ingest,
) -> None:
    good = cloudevent("page.viewed.v1", {}, id=an_id())
    letters: list[Letter] = [
        (b"\xff\x00 no json", []),
        (None, []),
        (b"[1,", STRUCTURED),
        (b"{}", [("ce_id", b"\xff"), ("ce_type", b"x")]),
        (b"<event/>", [("content-type", b"application/cloudevents+xml")]),
        letter_of(cloudevent("ticket.created.v1", {}, id=an_id())),
        letter_of(good),
    ]

    places = await put(ingest, letters)
    await work(ingest, places)

    items = (await ingest.get("/v1/ops/quarantine", limit=200))["items"]
    held = {(one["partition"], one["offset"]): one for one in items if one["topic"]}
    for place in places[:-1]:
        assert held[place]["topic"] == ingest.settings.topics.inbound
    assert [held[place]["code"] for place in places[:-1]] == [
        "unreadable_body",
        "unreadable_body",
        "unreadable_body",
        "bad_attribute",
        "unsupported_format",
        "missing",
    ]
    assert places[-1] not in held
    assert await ingest.one(good["id"])


async def test_line_16_what_was_mended_is_published(ingest: Ingest) -> None:
    event = cloudevent("ticket.created.v1", {"tikcet": "T-1"}, id=an_id())
    places = await put(ingest, [letter_of(event)])
    await work(ingest, places)
    [held] = (await ingest.get("/v1/ops/quarantine", event_id=event["id"]))["items"]
    patch = {"data": {"tikcet": None, "ticket": "T-1"}}

    fixed = await ingest.send(
        "/v1/ops/quarantine:fix", {"id": held["id"], "patch": patch}, caller="ops"
    )

    assert fixed["result"]["settled_as"] == "fixed"
    assert (await ingest.one(event["id"])).data["ticket"] == "T-1"


async def test_line_16_a_record_read_twice_says_the_same_twice(ingest: Ingest) -> None:
    """A worker that dies before its commit publishes again what it had published."""
    data = {"ticket": "T-1", "body": "x", "identifiers": {"user_id": a_user()}}
    event, last = (cloudevent("ticket.created.v1", data, id=an_id()) for _ in range(2))

    await work(ingest, await put(ingest, [letter_of(event)] * 2))
    await ingest.send("/v1/events", last)

    [first, again, _] = await ingest.stored(event["id"], last["id"])
    assert first.envelope.fingerprint == again.envelope.fingerprint
    assert (first.envelope.source, first.envelope.id) == (again.envelope.source, again.envelope.id)


async def test_line_16_operators_see_how_far_the_topic_is_read(ingest: Ingest) -> None:
    event = cloudevent(custom_type("Seen"), {}, id=an_id())

    [(partition, offset)] = places = await put(ingest, [letter_of(event)])
    await work(ingest, places)

    [stream] = (await ingest.get("/v1/ops/streams"))["streams"]
    positions = {one["partition"]: one["position"] for one in stream["partitions"]}
    assert stream["projector"] == NAME
    assert positions[partition] == offset + 1
    assert stream["lag_events"] == 0
