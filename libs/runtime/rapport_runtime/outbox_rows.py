"""Rows of the outbox as PostgreSQL's COPY takes them in binary.

The driver looks at every header of every row to find out what it is, which costs more than to
make the event. Here all that is the same for facts of one kind is written once for a batch.

Source: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha1
from typing import Final, NamedTuple

import msgspec
from rapport_events.envelope import event_key

from rapport_runtime.contract import DataError, Derived
from rapport_runtime.kafka import MAX_RECORD_BYTES

COLUMNS: Final = ("topic", "key", "value", "headers")

_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_COUNT: Final = struct.pack("!h", len(COLUMNS))
MOST_BYTES: Final = MAX_RECORD_BYTES - 4_096
"""Of a fact, beside its key and headers. One that the broker does not take would keep all others
waiting for ever, so it never gets in line."""

_TEXT: Final = 25
"""PostgreSQL's number of the type."""

_length: Final = struct.Struct("!i").pack
_array: Final = struct.Struct("!iiiii").pack
_ID_LENGTH: Final = 36


class _Kind(NamedTuple):
    """What rows of one kind have in common: how they begin, and what is around the event's id."""

    begin: bytes
    before_id: bytes
    after_id: bytes
    time: datetime


class _Event(msgspec.Struct, omit_defaults=True):
    """What `codec.encode` writes, in a third of its time: absent things are left out."""

    specversion: str
    id: str
    source: str
    type: str
    time: datetime
    recordedtime: datetime
    data: Mapping[str, object]
    subject: str | None = None
    linked: str | None = None
    identifiedby: str | None = None
    partitionkey: str | None = None
    correlationid: str | None = None
    causationid: str | None = None
    traceparent: str | None = None
    channel: str | None = None
    initiatedby: str | None = None
    historical: bool = False
    fingerprint: str | None = None


_encode: Final = msgspec.json.Encoder().encode


def derived_text(cause: bytes, rule: str) -> str:
    """The text of `derived_id`, of which every fact needs one: a name-based UUID (RFC 9562)."""
    made = bytearray(sha1(cause + rule.encode(), usedforsecurity=False).digest()[:16])
    made[6] = made[6] & 0x0F | 0x50
    made[8] = made[8] & 0x3F | 0x80
    text = made.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def copied(events: Sequence[Derived], now: datetime) -> bytearray:
    """All of them, in this order, for `COPY … FROM STDIN (FORMAT binary)`.

    Raises DataError for one that no broker would take.
    """
    kinds: dict[tuple[str, str, str, datetime], _Kind] = {}
    parts: list[bytes] = [_SIGNATURE]
    for event in events:
        named = (event.topic, event.type, event.source, event.time)
        kind = kinds.get(named)
        if kind is None:
            kind = kinds[named] = _kind_of(event)
        event_id = event.id or derived_text(event.cause, event.rule)
        key = (event.subject or event_key(event.source, event_id).hex()).encode()
        value = _encode(_event(event, event_id, kind.time, now))
        if len(value) > MOST_BYTES:
            size = f"{len(value):,} bytes, and a record holds {MOST_BYTES:,}"
            raise DataError("too_large", f"{event.type}: {size}")
        parts += (
            kind.begin, _length(len(key)), key, _length(len(value)), value,
            kind.before_id, event_id.encode(), kind.after_id,
        )  # fmt: skip
    parts.append(_END)
    return bytearray().join(parts)


def _event(event: Derived, event_id: str, time: datetime, now: datetime) -> _Event:
    return _Event(
        "1.0",
        event_id,
        event.source,
        event.type,
        time,
        now,
        {name: value for name, value in event.data.items() if value is not None},
        event.subject,
        **event.attributes,
    )


def _kind_of(event: Derived) -> _Kind:
    before = _texts("content-type", "application/cloudevents+json", "ce_id") + _length(_ID_LENGTH)
    after = _texts(
        "ce_type", event.type, "ce_source", event.source, "ce_time", event.time.isoformat()
    )
    # One dimension, nothing null, as many elements, the first of them is number 1.
    head = _array(1, 0, _TEXT, 4 + 6, 1)
    size = _length(len(head) + len(before) + _ID_LENGTH + len(after))
    time = event.time.astimezone(UTC)
    return _Kind(_COUNT + _texts(event.topic), size + head + before, after, time)


def _texts(*texts: str) -> bytes:
    return b"".join(_fields(text.encode() for text in texts))


def _fields(values: Iterable[bytes]) -> Iterable[bytes]:
    for value in values:
        yield _length(len(value))
        yield value
