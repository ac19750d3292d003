"""CloudEvents are read strictly: nothing missing is invented, nothing unknown is guessed."""

from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest
from rapport_events.catalogue import BY_TYPE
from rapport_ingest.adapters import cloudevents
from rapport_ingest.adapters.reader import TooManyEventsError
from rapport_ingest.canonical import parse
from rapport_ingest.draft import Draft, Rejection

from tests.support.publishers import ARRIVAL, cloudevent, from_cloudevent, only_rejection

TICKET = "ticket.created.v1"

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_attributes_say_the_rest() -> None:
    """publishers.md, line 13."""
    draft = from_cloudevent(
        cloudevent(
            TICKET,
            {"ticket": "T-1"},
            time="2026-11-22T11:00:00+01:00",
            channel="email",
            initiatedby="customer",
            historical=True,
            correlationid="T-1",
            causationid="/erp m-0",
            traceparent=TRACE,
            partitionkey="whatever",
        )
    )

    assert (draft.id, draft.source, draft.type) == ("m-1", "/erp", TICKET)
    assert (draft.channel, draft.initiated_by, draft.historical) == ("email", "customer", True)
    assert (draft.correlation_id, draft.causation_id) == ("T-1", "/erp m-0")
    assert draft.traceparent == TRACE
    assert draft.time == "2026-11-22T11:00:00+01:00"
    assert draft.occurred == ARRIVAL.received.replace(hour=10)
    assert draft.context == {}


@pytest.mark.parametrize("name", ["id", "source", "type", "specversion"])
def test_nothing_required_is_invented(name: str) -> None:
    """publishers.md, line 13: the PyPI client makes up a missing id."""
    event = cloudevent(TICKET, {"ticket": "T-1"})
    del event[name]

    refused = only_rejection(cloudevents.read(event, ARRIVAL))

    assert (refused.code, refused.pointer) == ("bad_attribute", f"/{name}")


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"id": ""}, "bad_attribute"),
        ({"id": 5}, "bad_attribute"),
        ({"id": "x" * 129}, "bad_attribute"),
        ({"source": None}, "bad_attribute"),
        ({"specversion": "0.3"}, "bad_attribute"),
        ({"specversion": 1.0}, "bad_attribute"),
        ({"channel": "fax"}, "bad_attribute"),
        ({"initiatedby": "nobody"}, "bad_attribute"),
        ({"historical": "yes"}, "bad_attribute"),
        ({"historical": 1}, "bad_attribute"),
        ({"correlationid": ""}, "bad_attribute"),
        ({"causationid": "x" * 257}, "bad_attribute"),
        ({"Channel": "web"}, "bad_attribute"),
        ({"initiated_by": "agent"}, "bad_attribute"),
        ({"x" * 21: "1"}, "bad_attribute"),
        ({"nested": {}}, "bad_attribute"),
        ({"fraction": 0.5}, "bad_attribute"),
        ({"time": "2026-11-22T11:00:00"}, "bad_time"),
        ({"time": 1_793_534_400}, "bad_time"),
        ({"linked": "x"}, "not_allowed"),
        ({"identifiedby": "user_id"}, "not_allowed"),
        ({"recordedtime": "2026-11-22T11:00:00Z"}, "not_allowed"),
        ({"fingerprint": "x"}, "not_allowed"),
        ({"data_base64": "e30="}, "bad_data"),
        ({"data": [1]}, "wrong_type"),
        ({"data": {"identifiers": "u-1"}}, "bad_identifier"),
        ({"data": {"identifiers": {"user_id": {}}}}, "bad_identifier"),
        ({"data": {"identifiers": {str(kind): "x" for kind in range(33)}}}, "bad_identifier"),
        ({"type": "ticket.created"}, "unknown_type"),
        ({"type": "ticket.created.v2"}, "unknown_type"),
        ({"type": "tiket.created.v1"}, "unknown_type"),
    ],
)
def test_a_wrong_event_is_refused_and_its_neighbours_are_not(
    attributes: dict[str, Any], code: str
) -> None:
    good = cloudevent(TICKET, {"ticket": "T-1"})

    first, bad, last = cloudevents.read([good, good | attributes, good], ARRIVAL)

    assert isinstance(first, Draft)
    assert isinstance(last, Draft)
    assert isinstance(bad, Rejection)
    assert (bad.index, bad.code) == (1, code)


@pytest.mark.parametrize("name", ["ticket.created", "ticket.creatd.v1", "ticket.created.v2"])
def test_a_slip_in_a_type_is_told_with_the_nearest_one(name: str) -> None:
    refused = only_rejection(cloudevents.read(cloudevent(name), ARRIVAL))

    assert "did you mean ticket.created.v1?" in refused.detail


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("com.example.order.completed", "custom.com_example_order_completed.v1"),
        ("t", "custom.t.v1"),
        ("order.completed", "custom.order_completed.v1"),
    ],
)
def test_a_foreign_type_is_the_publishers_own_and_never_an_error(name: str, type_: str) -> None:
    draft = from_cloudevent(
        cloudevent(name, {"revenue": 19.9, "identifiers": {"user_id": "u-1"}}, subject="u-1")
    )

    assert draft.type == type_
    assert draft.data == {"name": name, "properties": {"revenue": 19.9}}
    assert draft.identifiers == {"user_id": "u-1"}


@pytest.mark.parametrize("data", [None, [1], "text", 5, {"identifiers": [1]}])
def test_foreign_data_may_be_anything(data: object) -> None:
    draft = from_cloudevent(cloudevent("com.example.seen", data))

    kept = {} if data is None else data if isinstance(data, dict) else {"data": data}
    assert draft.data.get("properties", {}) == kept
    assert draft.identifiers == {}


def test_a_custom_type_takes_its_data_as_properties() -> None:
    loose = from_cloudevent(cloudevent("custom.quiz.v1", {"score": 5}))
    plain = from_cloudevent(cloudevent("custom.quiz.v1", {"name": "Quiz", "properties": {"a": 1}}))

    assert loose.data == {"properties": {"score": 5}}
    assert plain.data == {"name": "Quiz", "properties": {"a": 1}}


def test_data_may_come_in_base64() -> None:
    """publishers.md, line 13."""
    encoded = b64encode(b'{"ticket":"T-1","topic":"Zoe\xcc\x88"}').decode()

    draft = from_cloudevent(cloudevent(TICKET, data_base64=encoded))

    assert draft.data == {"ticket": "T-1", "topic": "Zoë"}


@pytest.mark.parametrize("encoded", ["%%%", "e30", 5, "bm8ganNvbg==", "eyJhIjoxLCJhIjoyfQ=="])
def test_base64_that_holds_no_json_is_refused(encoded: object) -> None:
    refused = only_rejection(cloudevents.read(cloudevent(TICKET, data_base64=encoded), ARRIVAL))

    assert refused.code in ("bad_data", "repeated_key")


def test_base64_hides_no_repeated_key() -> None:
    event = b'{"specversion":"1.0","id":"a","id":"b","source":"s","type":"t","data_base64":"e30="}'

    assert only_rejection(cloudevents.read(parse(event), ARRIVAL)).code == "repeated_key"


def test_a_trace_that_cannot_be_read_is_ignored() -> None:
    draft = from_cloudevent(cloudevent(TICKET, {"ticket": "T-1"}, traceparent="nonsense"))

    assert draft.traceparent is None
    assert "traceparent ignored: it is not W3C Trace Context" in draft.notes


def test_null_stands_for_an_absent_attribute() -> None:
    draft = from_cloudevent(cloudevent(TICKET, {"ticket": "T-1"}, channel=None, historical=None))

    assert (draft.channel, draft.historical) == (None, False)


def test_a_whole_request_may_be_history() -> None:
    event = cloudevent(TICKET, {"ticket": "T-1"}, historical=False)

    (draft,) = cloudevents.read(event, replace(ARRIVAL, historical=True))

    assert isinstance(draft, Draft)
    assert draft.historical


def test_a_long_batch_has_to_be_split() -> None:
    """publishers.md, line 12."""
    events = [cloudevent(TICKET, {"ticket": "T-1"}, id=str(number)) for number in range(501)]

    with pytest.raises(TooManyEventsError) as refused:
        cloudevents.read(events, ARRIVAL)

    assert refused.value.status_code == 413
    assert len(cloudevents.read(events[:500], ARRIVAL)) == 500


@pytest.mark.parametrize("body", [None, 5, "text"])
def test_a_body_that_is_no_event_is_told_so(body: object) -> None:
    assert only_rejection(cloudevents.read(body, ARRIVAL)).code == "bad_request_shape"


@pytest.mark.parametrize("type_", sorted(BY_TYPE))
def test_every_type_of_the_catalogue_is_read_under_its_name(type_: str) -> None:
    draft = from_cloudevent(cloudevent(type_, {"identifiers": {"user_id": "u-1"}}))

    assert (draft.type, draft.identifiers, draft.strict) == (type_, {"user_id": "u-1"}, True)
