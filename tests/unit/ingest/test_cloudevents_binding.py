"""The modes in which CloudEvents travel, over HTTP and Kafka."""

from collections.abc import Mapping

import orjson
import pytest
from rapport_ingest.adapters.cloudevents_binding import (
    UnsupportedFormatError,
    read_http,
    read_kafka,
)
from rapport_ingest.canonical import UnreadableBodyError
from rapport_ingest.draft import raw_json

from tests.support.publishers import ARRIVAL, cloudevent, only_draft, only_rejection

BINARY = {
    "ce-specversion": "1.0",
    "ce-id": "m-1",
    "ce-source": "/erp",
    "ce-type": "ticket.created.v1",
}
TICKET = b'{"ticket":"T-1","identifiers":{"user_id":"u-1"}}'


def binary(**more: str) -> Mapping[str, str]:
    return BINARY | {f"ce-{name}": value for name, value in more.items()}


@pytest.mark.parametrize(
    "content_type",
    [None, "application/json", "application/json; charset=utf-8", "application/vnd.shop+json"],
)
def test_binary_mode_needs_no_content_type(content_type: str | None) -> None:
    """publishers.md, line 13: the PyPI client sends none at all."""
    headers = {**binary(), **({} if content_type is None else {"Content-Type": content_type})}

    draft = only_draft(read_http(headers.items(), TICKET, ARRIVAL))

    assert draft.type == "ticket.created.v1"
    assert draft.data == {"ticket": "T-1"}
    assert draft.identifiers == {"user_id": "u-1"}


def test_binary_mode_without_data_is_no_tombstone() -> None:
    """publishers.md, line 13."""
    sent = only_draft(read_http(binary(type="com.example.opened").items(), b"", ARRIVAL))
    put = only_draft(
        read_kafka(
            [
                (name.replace("-", "_"), value.encode())
                for name, value in binary(type="com.example.opened").items()
            ],
            None,
            ARRIVAL,
        )
    )

    assert sent.data == put.data == {"name": "com.example.opened"}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("Zo%C3%AB%20%E2%82%AC/%25", "Zoë €/%"),
        ('"Zo%C3%AB \\"x\\""', 'Zoë "x"'),
        ("100%", "100%"),
        ("plain", "plain"),
    ],
)
def test_headers_are_percent_decoded(sent: str, expected: str) -> None:
    """publishers.md, line 13."""
    draft = only_draft(read_http(binary(subject=sent).items(), TICKET, ARRIVAL))

    assert draft.context == {"attributes": {"subject": expected}}


def test_header_names_have_no_case_and_values_may_be_booleans() -> None:
    headers = [(name.title(), value) for name, value in binary(historical="true").items()]

    assert only_draft(read_http(headers, TICKET, ARRIVAL)).historical


@pytest.mark.parametrize(
    "headers",
    [
        [*BINARY.items(), ("CE-ID", "m-2")],
        [*BINARY.items(), ("ce-subject", "%ff")],
        [*BINARY.items(), ("ce-subject", "Zoë")],
        [*BINARY.items(), ("ce-data", "{}")],
        [*BINARY.items(), ("ce-data_base64", "e30=")],
        [*BINARY.items(), ("ce-datacontenttype", "text/plain")],
        [*BINARY.items(), ("ce-initiated_by", "agent")],
        [*BINARY.items(), ("ce-", "x")],
    ],
)
def test_an_ambiguous_header_refuses_the_event(headers: list[tuple[str, str]]) -> None:
    refused = only_rejection(read_http(headers, TICKET, ARRIVAL))

    assert refused.code == "bad_attribute"
    assert b'"ce-id":"m-' in raw_json(refused.raw) or b'"id":"m-1"' in raw_json(refused.raw)


def test_data_of_another_kind_is_refused_and_kept() -> None:
    headers = {**BINARY, "content-type": "text/xml"}

    refused = only_rejection(read_http(headers.items(), b"<a/>", ARRIVAL))

    assert refused.code == "bad_data"
    assert b'"data_base64":"PGEvPg=="' in raw_json(refused.raw)


def test_structured_and_batched_events_are_read_by_their_content_type() -> None:
    """publishers.md, line 12."""
    event = cloudevent("ticket.created.v1", {"ticket": "T-1"})
    structured = [("content-type", "application/cloudevents+json; charset=UTF-8")]
    batched = [("content-type", "application/cloudevents-batch+json")]

    assert len(read_http(structured, orjson.dumps(event), ARRIVAL)) == 1
    assert len(read_http(batched, orjson.dumps([event, event]), ARRIVAL)) == 2
    assert read_http(batched, b"[]", ARRIVAL) == []


def test_plain_json_that_holds_events_is_taken_for_what_it_is() -> None:
    body = orjson.dumps(cloudevent("ticket.created.v1", {"ticket": "T-1"}))

    assert only_draft(read_http([("content-type", "application/json")], body, ARRIVAL))


@pytest.mark.parametrize(
    ("media", "body"), [("cloudevents+json", b"[]"), ("cloudevents-batch+json", b"{}")]
)
def test_a_content_type_holds_what_it_says(media: str, body: bytes) -> None:
    headers = [("content-type", f"application/{media}")]

    assert only_rejection(read_http(headers, body, ARRIVAL)).code == "bad_request_shape"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/cloudevents+avro",
        "application/cloudevents-batch+protobuf",
        "application/cloudevents+json; charset=utf-16",
        'application/json;charset="latin1"',
    ],
)
def test_another_format_or_encoding_is_not_supported(content_type: str) -> None:
    with pytest.raises(UnsupportedFormatError) as refused:
        read_http([("content-type", content_type)], b"{}", ARRIVAL)

    assert refused.value.status_code == 415


@pytest.mark.parametrize("headers", [{}, BINARY])
def test_a_body_that_is_no_json_is_unreadable(headers: dict[str, str]) -> None:
    with pytest.raises(UnreadableBodyError):
        read_http(headers.items(), b"{", ARRIVAL)


def test_records_of_the_inbound_topic_are_structured_or_binary() -> None:
    """publishers.md, line 16: Kafka headers are UTF-8 as they are, not percent-encoded."""
    event = cloudevent("ticket.created.v1", {"ticket": "T-1"})
    headers = [(name.replace("-", "_"), value.encode()) for name, value in BINARY.items()]

    plain = only_draft(read_kafka([], orjson.dumps(event), ARRIVAL))
    structured = only_draft(
        read_kafka(
            [("content-type", b"application/cloudevents+json"), ("ce_type", b"ticket.created.v1")],
            orjson.dumps(event),
            ARRIVAL,
        )
    )
    loose = only_draft(read_kafka([*headers, ("ce_subject", "Zoë 100%".encode())], TICKET, ARRIVAL))

    assert plain.type == structured.type == loose.type == "ticket.created.v1"
    assert loose.context == {"attributes": {"subject": "Zoë 100%"}}


def test_a_record_that_is_nothing_is_unreadable() -> None:
    with pytest.raises(UnreadableBodyError):
        read_kafka([], None, ARRIVAL)


def test_a_record_with_a_broken_header_is_refused() -> None:
    assert only_rejection(read_kafka([("ce_id", b"\xff")], b"{}", ARRIVAL)).code == "bad_attribute"
