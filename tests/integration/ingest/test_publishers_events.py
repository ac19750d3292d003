"""What becomes of publishers' events, line by line of docs/publishers.md."""

import base64
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from tests.support.ingest_house import Ingest, a_user, an_id, batch_of, seen
from tests.support.publishers import call, captured, cloudevent


async def test_line_7_an_event_sent_again_is_the_same_event(ingest: Ingest) -> None:
    event = seen(messageId=f"node-next-1795324124375-{an_id()}")
    body = batch_of(event, sentAt="2026-11-22T05:08:44.375Z")

    for _ in range(2):
        await ingest.send("/v1/batch", body)
    await ingest.send("/v1/batch", batch_of(last := seen(event["userId"])))

    [first, again, _] = await ingest.stored(event["messageId"], last["messageId"])
    assert (first.envelope.source, first.envelope.id) == (again.envelope.source, again.envelope.id)
    assert first.envelope.fingerprint == again.envelope.fingerprint
    assert first.envelope.subject == again.envelope.subject


async def test_line_7_other_content_under_the_same_id_is_told_apart(ingest: Ingest) -> None:
    event = seen()

    await ingest.send("/v1/batch", batch_of(event))
    await ingest.send("/v1/batch", batch_of(event | {"properties": {"other": True}}))
    await ingest.send("/v1/batch", batch_of(last := seen(event["userId"])))

    [first, other, _] = await ingest.stored(event["messageId"], last["messageId"])
    assert first.envelope.fingerprint != other.envelope.fingerprint


async def test_line_8_a_clock_that_is_wrong_is_corrected_by_when_the_request_was_sent(
    ingest: Ingest,
) -> None:
    behind = datetime.now(UTC) - timedelta(days=400)
    event = seen(timestamp=(behind - timedelta(minutes=10)).isoformat())
    late = seen(originalTimestamp=(behind - timedelta(hours=1)).isoformat())

    await ingest.send("/v1/batch", batch_of(event, late, sentAt=behind.isoformat()))

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

    await ingest.send("/v1/batch", batch_of(event))

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
    good, bad_id = seen(), an_id()
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
    event = seen(properties={"name": "Zoe\u0308"})

    await ingest.send("/v1/batch", batch_of(event))

    stored = await ingest.one(event["messageId"])
    assert stored.personal["properties"] == {"name": "Zo\u00eb"}


# Line 16, events that come by Kafka: test_inbound.py.


async def test_an_event_without_identifiers_is_kept_and_belongs_to_nobody(ingest: Ingest) -> None:
    event = cloudevent("form.submitted.v1", {"form_id": "f", "fields": {"q": "a"}}, id=an_id())

    await ingest.send("/v1/events", event)

    stored = await ingest.one(event["id"])
    assert stored.envelope.subject is None
    assert stored.personal["fields"] == {"q": "a"}
    assert stored.record.key.decode() == stored.envelope.partitionkey
