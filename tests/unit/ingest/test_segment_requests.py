"""What a request of a Segment client says of all its events, and what is refused of it."""

from dataclasses import replace

import pytest
from rapport_ingest.adapters import segment
from rapport_ingest.adapters.reader import TooManyEventsError
from rapport_ingest.canonical import UnreadableBodyError, parse
from rapport_ingest.draft import Draft, Rejection

from tests.support.publishers import ARRIVAL, call, only_draft, only_rejection, track


def test_a_batch_may_say_things_of_all_its_events() -> None:
    body = {
        "batch": [call("track", event="Seen", timestamp="2026-11-22T11:00:00Z")],
        "context": {"locale": "de-DE"},
        "sentAt": "2026-11-22T11:00:05Z",
    }

    draft = only_draft(segment.read(body, ARRIVAL))

    assert draft.context == {"locale": "de-DE"}
    assert (ARRIVAL.received - draft.occurred).total_seconds() == 5


@pytest.mark.parametrize("flaw", ["\ud83d", "\0"])
def test_what_a_batch_says_of_its_events_is_kept_only_if_it_can_be(flaw: str) -> None:
    body = {
        "batch": [call("identify", timestamp="2026-11-22T11:00:00Z")],
        "context": {"locale": flaw},
        "sentAt": f"2026-11-22{flaw[0]}11:00:05Z",
    }

    draft = only_draft(segment.read(body, ARRIVAL))

    assert draft.context == {}
    assert "sent" not in draft.clock


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (call("track", event="Seen", userId=None), "no_identity"),
        (call("track", event="Seen", userId="", anonymousId=""), "no_identity"),
        (call("track", event="Seen", userId=True), "no_identity"),
        (call("track"), "missing_field"),
        (call("track", event=" "), "missing_field"),
        (call("track", event=5), "missing_field"),
        (call("alias"), "missing_field"),
        (call("alias", previousId="a-1", userId=None, anonymousId="b"), "missing_field"),
        (call("dance"), "unknown_call"),
        (call("identify", type=None), "unknown_call"),
        (call("identify", type=["identify"]), "unknown_call"),
        (call("identify", timestamp="soon"), "bad_time"),
        (call("identify", messageId="x" * 129), "bad_id"),
        (call("identify", messageId={}), "bad_id"),
        (track("ticket.creatd.v1", ticket="T-1"), "unknown_type"),
        (track("Order Completed", total=19.999, currency="EUR"), "amount_precision"),
        (track("Order Completed", total=-1, currency="EUR"), "amount_negative"),
        (track("Order Completed", total=1, currency="DOGE"), "unknown_currency"),
        ("an event", "not_an_object"),
        (None, "not_an_object"),
    ],
)
def test_one_bad_event_never_fails_a_batch(event: object, code: str) -> None:
    """publishers.md, line 2."""
    good = call("identify")

    first, bad, last = segment.read({"batch": [good, event, good]}, ARRIVAL)

    assert isinstance(first, Draft)
    assert isinstance(last, Draft)
    assert isinstance(bad, Rejection)
    assert (bad.index, bad.code, last.index) == (1, code, 2)


def test_the_route_may_name_the_call() -> None:
    event = {"userId": "u-1", "traits": {"plan": "pro"}}

    draft = only_draft(segment.read(event, ARRIVAL, call="identify"))

    assert draft.type == "customer.identified.v1"


@pytest.mark.parametrize("body", [None, 5, "text", {"batch": {}}, {"batch": None}])
def test_a_body_that_is_no_request_is_told_so(body: object) -> None:
    assert only_rejection(segment.read(body, ARRIVAL)).code == "bad_request_shape"


def test_an_ambiguous_batch_is_unreadable_as_a_whole() -> None:
    with pytest.raises(UnreadableBodyError):
        segment.read(parse(b'{"batch":[],"batch":[{}]}'), ARRIVAL)


def test_a_huge_batch_is_refused_before_it_is_looked_at() -> None:
    with pytest.raises(TooManyEventsError) as refused:
        segment.read({"batch": [None] * 5_001}, ARRIVAL)

    assert refused.value.status_code == 413


def test_a_refused_event_is_kept_without_its_key() -> None:
    """publishers.md, line 6."""
    refused = only_rejection(segment.read(call("dance", writeKey="secret"), ARRIVAL))

    assert refused.raw == call("dance")
    assert refused.id == "m-1"


def test_an_id_that_cannot_be_repeated_is_not_in_the_answer() -> None:
    refused = only_rejection(segment.read(call("identify", messageId="\ud83d"), ARRIVAL))

    assert (refused.id, refused.code) == (None, "lone_surrogate")


def test_a_key_in_the_body_hides_no_repeated_key() -> None:
    body = parse(b'{"writeKey":"k","type":"track","event":"A","event":"B","userId":"u-1"}')

    assert only_rejection(segment.read(body, ARRIVAL)).code == "repeated_key"


def test_history_is_marked_as_such() -> None:
    historical = replace(ARRIVAL, historical=True)

    assert only_draft(segment.read(call("identify"), historical)).historical
