"""What quarantine keeps of a refused event."""

from datetime import UTC, datetime
from typing import Any

import pytest
from rapport_ingest.canonical import parse
from rapport_ingest.draft import Arrival, Rejection
from rapport_ingest.pipeline.accept import Delivery
from rapport_ingest.pipeline.permission import PUBLISHER
from rapport_ingest.quarantine.payload import MAX_KEPT, open_payload, row_of
from rapport_privacy.root import RootKey

SEALS = RootKey.new()
DELIVERY = Delivery(
    adapter="segment",
    arrival=Arrival(source="/shop", received=datetime(2026, 11, 22, tzinfo=UTC)),
    permission=PUBLISHER,
    frame={"sentAt": "2026-11-22T05:00:00Z"},
)


def _row(raw: object, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a Rejection
    rejection = {"index": 0, "id": "m-1", "code": "c", "detail": "d", "pointer": None, **members}
    return row_of(Rejection(raw=raw, **rejection), DELIVERY, SEALS)


@pytest.mark.parametrize(
    "raw",
    [{"a": [1, 2.5, None, "Zoë"]}, 5, None, "text", parse(b'{"a": NaN, "b": "\\ud800"}')],
)
def test_what_was_sent_comes_back_as_it_was(raw: object) -> None:
    opened = open_payload(_row(raw)["payload"], SEALS)

    assert repr(opened.event) == repr(raw)
    assert opened.frame == DELIVERY.frame
    assert opened.cut is None


def test_an_event_beyond_all_measure_is_told_by_its_size() -> None:
    opened = open_payload(_row({"a": "x" * MAX_KEPT})["payload"], SEALS)

    assert opened.event is None
    assert opened.cut is not None
    assert opened.cut > MAX_KEPT


def test_an_event_nested_deeper_than_anything_reads_is_no_crash() -> None:
    raw: object = 1
    for _ in range(900):
        raw = [raw]

    assert open_payload(_row(raw)["payload"], SEALS)


def test_the_same_refusal_has_the_same_digest_and_another_one_another() -> None:
    assert _row({"a": 1})["digest"] == _row({"a": 1})["digest"]
    assert _row({"a": 1})["digest"] != _row({"a": 2})["digest"]
    assert _row({"a": 1})["digest"] != _row({"a": 1}, code="other")["digest"]


def test_names_in_the_pointer_that_are_no_field_names_are_masked() -> None:
    row = _row({}, pointer="/data/ada@example.com/items/0/name")

    assert row["pointer"] == "/data/*/items/0/name"


def test_an_address_in_the_reason_is_masked() -> None:
    assert "ada" not in _row({}, detail="no event type is called ada@example.com")["detail"]


@pytest.mark.parametrize("event_id", ["a\0b", "\ud800", "x" * 400])
def test_what_the_database_cannot_hold_is_left_out_of_an_id(event_id: str) -> None:
    held = _row({}, id=event_id)["event_id"]

    assert "\0" not in held
    assert len(held.encode()) <= 256
