"""Records of the log: what is written is read, and what cannot be read says why."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from rapport_events import wire
from rapport_events.codec import UndecodableEventError, decode, decode_data, encode, upcast
from rapport_events.envelope import Envelope

from tests.support.events import NOON, new_subject


def a_record(**changes: Any) -> bytes:  # noqa: ANN401 - any attribute, right or wrong
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/shop",
        "type": "order.placed.v1",
        "time": "2026-03-01T12:00:00Z",
        "recordedtime": "2026-03-01T12:00:01Z",
        "data": {"order": "O-1"},
    }
    merged = attributes | changes
    return msgspec.json.encode({name: value for name, value in merged.items() if value != "-"})


def refused(value: bytes | None) -> UndecodableEventError:
    with pytest.raises(UndecodableEventError) as caught:
        decode_data(decode(value))
    return caught.value


def test_a_record_comes_back_as_it_was_written() -> None:
    customer, other = new_subject(), new_subject()
    attributes = {"id": "e-1", "source": "/shop", "type": "order.placed.v1", "subject": customer}
    rest = {"linked": f"{other},{customer}", "historical": True, "time": NOON, "recordedtime": NOON}

    envelope = decode(encode(attributes | rest, {"order": "O-1"}))

    assert envelope.subject == customer
    assert envelope.linked_subjects == (other, customer)
    assert (envelope.time, envelope.recordedtime, envelope.historical) == (NOON, NOON, True)
    assert decode_data(envelope) == wire.OrderPlaced(order="O-1")


def test_each_subject_of_a_record_has_the_kind_of_its_identifier() -> None:
    customer, mailbox = new_subject(), new_subject()

    envelope = decode(
        a_record(subject=customer, linked=mailbox, identifiedby="user_id,loyalty_card_2")
    )

    assert envelope.kinds == {customer: "user_id", mailbox: "loyalty_card_2"}


def test_a_record_from_before_kinds_were_told_is_read_without_them() -> None:
    envelope = decode(a_record(subject=new_subject(), linked=new_subject()))

    assert (envelope.identifiedby, envelope.kinds) == (None, {})


def test_a_record_says_times_in_utc_and_leaves_out_what_is_absent() -> None:
    berlin = NOON.astimezone(timezone(timedelta(hours=1)))

    value = encode({"time": berlin, "channel": None, "historical": False}, {"store": None})

    assert value == b'{"specversion":"1.0","time":"2026-03-01T12:00:00Z","data":{}}'


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "empty"),
        (b"", "empty"),
        (b"{", "not_json"),
        (b"\x00\x00\x00\x01\x02", "not_json"),
        (b'{"id":"\xff"}', "not_json"),
        (b"[" * 5000, "not_cloudevent"),
        (b"[]", "not_cloudevent"),
        (b"17", "not_cloudevent"),
        (a_record(id="-"), "missing_attribute"),
        (a_record(source="-"), "missing_attribute"),
        (a_record(type="-"), "missing_attribute"),
        (a_record(time="-"), "missing_attribute"),
        (a_record(recordedtime="-"), "missing_attribute"),
        (a_record(specversion="-"), "bad_attribute"),
        (a_record(specversion="0.3"), "bad_attribute"),
        (a_record(id=""), "bad_attribute"),
        (a_record(id="x" * 129), "bad_attribute"),
        (a_record(id=7), "bad_attribute"),
        (a_record(source="x" * 100_000), "bad_attribute"),
        (a_record(time="2026-03-01T12:00:00"), "bad_attribute"),
        (a_record(recordedtime="yesterday"), "bad_attribute"),
        (a_record(channel="pigeon"), "bad_attribute"),
        (a_record(subject="u-97"), "bad_attribute"),
        (a_record(subject=new_subject().upper()), "bad_attribute"),
        (a_record(linked=f"{new_subject()},"), "bad_attribute"),
        (a_record(identifiedby="user_id"), "bad_attribute"),
        (a_record(subject=new_subject(), identifiedby="user_id,email"), "bad_attribute"),
        (a_record(subject=new_subject(), identifiedby="User-Id"), "bad_attribute"),
        (a_record(subject=new_subject(), identifiedby="x" * 33), "bad_attribute"),
        (a_record(subject=new_subject(), linked=new_subject(), identifiedby="user_id"),
         "bad_attribute"),
        (a_record(type="OrderPlaced"), "bad_attribute"),
        (a_record(type="order.placed"), "bad_attribute"),
        (a_record(data=[1]), "bad_data"),
        (a_record(data=None), "bad_data"),
        (a_record(data={"order": 5}), "bad_data"),
        (a_record(type="ticket.created.v1", data={}), "bad_data"),
        (a_record(data={"pii": {"v": 1}}), "bad_data"),
        (a_record(type="customer.merged.v1", data={"from_subject": "u"}), "bad_data"),
        (a_record(type="order.shipped.v1", data={"order": "O", "eta": "2026-03-01T12:00:00"}),
         "bad_data"),
        (a_record(type="order.teleported.v1"), "unknown_type"),
        (a_record(type="order.placed.v2"), "unknown_type"),
    ],
)  # fmt: skip
def test_an_unreadable_record_is_named_by_what_is_wrong(value: bytes | None, code: str) -> None:
    error = refused(value)

    assert error.code == code
    assert error.detail


def test_data_nested_beyond_reason_is_unreadable_and_nothing_worse() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000

    error = refused(a_record().replace(b'"O-1"', deep))

    assert error.detail == "nested too deeply"


def test_text_that_is_not_utf8_is_found_when_the_data_is_read() -> None:
    assert refused(a_record().replace(b"O-1", b"\xff")).code == "bad_data"


def test_what_a_newer_publisher_adds_is_skipped() -> None:
    value = a_record(dataschema="urn:x", data={"order": "O-1", "gift_wrap": True})

    assert decode_data(decode(value)) == wire.OrderPlaced(order="O-1")


def test_a_newer_word_of_a_vocabulary_is_read_as_it_stands() -> None:
    value = a_record(type="ticket.created.v1", data={"ticket": "T-1", "priority": "extreme"})

    assert decode_data(decode(value)) == wire.TicketCreated(ticket="T-1", priority="extreme")


def test_a_publishers_own_event_is_read_as_custom() -> None:
    value = a_record(type="custom.quiz_finished.v1", data={"name": "Quiz Finished"})

    assert decode_data(decode(value)) == wire.Custom(name="Quiz Finished")


def test_an_old_major_is_told_as_the_newest_one() -> None:
    def to_v2(data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return "order.placed.v2", data | {"amount": data["cents"]}

    def to_v3(data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return "order.placed.v3", {"amount": data["amount"]}

    old = upcast(
        "order.placed.v1", {"cents": 5}, {"order.placed.v1": to_v2, "order.placed.v2": to_v3}
    )

    assert old == ("order.placed.v3", {"amount": 5})


def test_the_envelope_of_pretty_printed_json_is_read_too() -> None:
    value = msgspec.json.format(a_record(), indent=2)

    assert decode(value).time == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_an_envelope_without_data_says_nothing_more() -> None:
    envelope = decode(a_record(type="customer.erased.v1", data="-"))

    assert isinstance(envelope, Envelope)
    assert decode_data(envelope) == wire.CustomerErased()
