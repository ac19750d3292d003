"""Builders of log records: an event as ingest would have written it."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import msgspec
from rapport_events.codec import decode, encode
from rapport_events.envelope import Record, event_key

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOPIC = "rapport.interactions.v1"
_offsets = count()


def new_subject() -> str:
    """A customer nobody has heard of."""
    return str(uuid4())


def happened(
    type_: str,
    subject: str | None,
    at: datetime = NOON,
    *,
    linked: str | None = None,
    identifiedby: str | None = None,
    channel: str | None = None,
    event_id: str | None = None,
    told: datetime | None = None,
    fingerprint: str | None = None,
    pii: dict[str, Any] | None = None,
    source: str = "/test",
    historical: bool = False,
    fields: dict[str, Any] | None = None,
    correlation: str | None = None,
    **data: Any,  # noqa: ANN401 - the fields of any event
) -> Record:
    """One record; `told` is when ingest heard of it, by default when it happened.

    Data goes by keyword; `fields` holds what an argument of this function would hide.
    """
    data |= fields or {}
    attributes: dict[str, Any] = {
        "id": event_id or str(uuid4()),
        "source": source,
        "type": type_ if type_.endswith(".v1") else f"{type_}.v1",
        "time": at,
        "recordedtime": told or at,
        "subject": subject,
        "linked": linked,
        "identifiedby": identifiedby,
        "channel": channel,
        "fingerprint": fingerprint,
        "historical": historical or None,
        "correlationid": correlation,
    }
    if pii is not None:
        data["pii"] = pii
    attributes = {name: value for name, value in attributes.items() if value is not None}
    return record_of(encode(attributes, data))


def record_of(value: bytes, *, partition: int = 0, offset: int | None = None) -> Record:
    """A record from the bytes of the log."""
    envelope = decode(value)
    return Record(
        topic=TOPIC,
        partition=partition,
        offset=next(_offsets) if offset is None else offset,
        key=event_key(envelope.source, envelope.id),
        envelope=envelope,
        value=value,
    )


def days(number: float) -> timedelta:
    return timedelta(days=number)


def told_again(record: Record) -> Record:
    """The same event, delivered once more at a later place in the log."""
    return msgspec.structs.replace(record, offset=next(_offsets))
