"""Whatever JSON arrives, in whichever dialect: drafts and rejections, never an exception."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapport_events.codec import check
from rapport_ingest.adapters import cloudevents, posthog, segment
from rapport_ingest.adapters.cloudevents_binding import (
    UnsupportedFormatError,
    read_http,
    read_kafka,
)
from rapport_ingest.canonical import UnreadableBodyError, parse
from rapport_ingest.draft import Draft, Rejection, identify, raw_json

from tests.support.publishers import ARRIVAL, captured, cloudevent, track

Reader = Callable[[object], list[Draft | Rejection]]

DIALECTS: dict[str, Reader] = {
    "segment": lambda body: segment.read(body, ARRIVAL),
    "segment, single route": lambda body: segment.read(body, ARRIVAL, call="page"),
    "posthog": lambda body: posthog.read(body, ARRIVAL),
    "cloudevents": lambda body: cloudevents.read(body, ARRIVAL),
}

NAMES = st.sampled_from(
    [
        *("batch", "type", "event", "userId", "anonymousId", "messageId", "properties", "traits"),
        *("context", "timestamp", "sentAt", "previousId", "groupId", "name", "channel", "email"),
        *("distinct_id", "uuid", "$set", "$group_key", "alias", "offset", "library", "page"),
        *("specversion", "id", "source", "data", "data_base64", "identifiers", "time", "from"),
        *("currency", "total", "products", "externalIds", "campaign", "order_id", "price"),
    ]
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        [
            *("track", "identify", "alias", "group", "page", "screen", "$identify", "$pageview"),
            *("$create_alias", "$groupidentify", "Order Completed", "Signed Up", "Cart Viewed"),
            *("1.0", "ticket.created.v1", "customer.merged.v1", "custom.x.v1", "x.y.z"),
            *(
                "u-1",
                "EUR",
                "19.99",
                "2026-11-22T11:00:00Z",
                "e30=",
                "web",
                "\ud83d",
                "\0",
                "Zoe\u0308",
            ),
        ]
    ),
)
JSON = st.recursive(
    VALUES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=12,
)
EVENTS = st.sampled_from(
    [
        track("Order Completed", total=19.9, currency="EUR", products=[{"price": 1}]),
        track("Signed Up", email="ada@example.com"),
        captured("$identify", properties={"$set": {"email": "ada@example.com"}}),
        cloudevent("ticket.created.v1", {"ticket": "T-1", "identifiers": {"user_id": "u-1"}}),
    ]
)


@st.composite
def mangled(draw: st.DrawFn) -> object:
    """A good event with some members replaced by anything, alone or in a batch."""
    event: dict[str, Any] = {**draw(EVENTS), **draw(st.dictionaries(NAMES, JSON, max_size=3))}
    return draw(st.sampled_from([event, [event], {"batch": [event]}]))


def survive(readings: list[Draft | Rejection]) -> None:
    """What the rest of ingest does with any reading must not fail either."""
    for reading in readings:
        parse(raw_json(reading.raw))
        if isinstance(reading, Rejection):
            orjson.dumps([reading.id, reading.code, reading.detail, reading.pointer])
            assert reading.code.isidentifier()
            continue
        assert 0 < len(reading.id) <= 128
        assert orjson.loads(reading.fingerprint_bytes())
        assert orjson.dumps([reading.clock, reading.context, reading.notes])
        check(reading.type, reading.data)
        identify(reading.identifiers)
        identify(reading.other)


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(deadline=None)
@given(body=JSON | mangled())
def test_any_json_is_read_or_refused_in_any_dialect(dialect: str, body: object) -> None:
    """publishers.md, line 2."""
    survive(DIALECTS[dialect](parse(json.dumps(body).encode())))


ATTRIBUTES = st.dictionaries(
    st.sampled_from(["specversion", "id", "source", "type", "subject", "time", "data", "x_y", ""]),
    st.text(max_size=12) | st.sampled_from(["1.0", "ticket.created.v1", "%C3%28", '"a\\"']),
    max_size=8,
)
CONTENT_TYPES = st.sampled_from(
    ["", "application/json", "text/plain", "application/cloudevents+json", "x; charset"]
)
BODIES = st.binary(max_size=20) | JSON.map(lambda body: json.dumps(body).encode())


@settings(deadline=None)
@given(ATTRIBUTES, CONTENT_TYPES, BODIES)
def test_any_message_is_read_or_refused(
    attributes: dict[str, str], content_type: str, body: bytes
) -> None:
    headers = [("content-type", content_type), *((f"ce-{k}", v) for k, v in attributes.items())]
    record = [(name.replace("ce-", "ce_"), value.encode()) for name, value in headers]

    for read in (partial(read_http, headers), partial(read_kafka, record)):
        try:
            readings = read(body, ARRIVAL)
        except (UnreadableBodyError, UnsupportedFormatError):
            continue
        survive(readings)
