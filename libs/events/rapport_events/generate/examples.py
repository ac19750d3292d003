"""First examples of a new event. What was shipped is golden and never written again."""

from base64 import urlsafe_b64encode
from hashlib import shake_128
from typing import Any, Final
from uuid import UUID

from rapport_events.catalogue import DOMAINS, Custom
from rapport_events.event import Event, ingest_fields, json_fields, pii_fields
from rapport_events.topics import INBOUND, TOPICS

CUSTOM_EXAMPLE: Final = "custom.quiz_finished.v1"
IDENTIFIERS: Final = {"user_id": "u-97", "email": "ada@example.com"}
SUBJECT: Final = "5f0c9a52-2f0b-4f6e-8d57-0c3f5b7d9e11"
LINKED: Final = "c2a7e0d4-91b3-4b0c-a6d8-7e1f2a3b4c5d"
_CHANNELS: Final = {
    "web": "web",
    "selfservice": "web",
    "commerce": "web",
    "order": "web",
    "ticket": "email",
    "call": "phone",
    "social": "social",
    "store": "store",
    "message": "email",
    "feedback": "email",
}
_TIME: Final = "2026-03-09T10:15:00Z"
_CONTEXT: Final = {
    "clock": {"original": _TIME, "sent": _TIME, "received": "2026-03-09T10:15:01Z"},
    "library": "segment-analytics-python/2.4.0",
}
_THREADS: Final = ("ticket", "order", "call", "survey", "subscription")


def type_of(event: type[Event]) -> str:
    return CUSTOM_EXAMPLE if event is Custom else event.type


def plain(event: type[Event]) -> dict[str, Any]:
    """The CloudEvent as whoever knows of it would publish it."""
    data = _fields(event)
    for name in ingest_fields(event):
        del data[name]
    if _is_published(event):
        data = {"identifiers": IDENTIFIERS} | data
    return _attributes(event) | {"data": data}


def log(event: type[Event]) -> dict[str, Any]:
    """The record as it stands in the log. The ciphertext has the right shape, no more."""
    fields, pii = _fields(event), pii_fields(event)
    data = {name: value for name, value in fields.items() if name not in pii}
    attributes = _attributes(event) | {"recordedtime": "2026-03-09T10:15:01.250000Z"}
    if event not in DOMAINS["metrics"]:
        attributes |= {"subject": SUBJECT, "partitionkey": SUBJECT}
    if _is_published(event):
        attributes |= {"linked": LINKED, "identifiedby": ",".join(IDENTIFIERS)}
        attributes["fingerprint"] = _noise(event, "fingerprint", 16)
        data["context"] = _CONTEXT
    if pii & fields.keys():
        data["pii"] = _sealed(event)
    return attributes | {"data": data}


def _is_published(event: type[Event]) -> bool:
    return event is Custom or event in INBOUND.carries


def _fields(event: type[Event]) -> dict[str, Any]:
    fields = {
        name: field.examples[0] for name, field in json_fields(event).items() if field.examples
    }
    if not _is_published(event):
        del fields["properties"]
    return fields


def _attributes(event: type[Event]) -> dict[str, Any]:
    domain = next((name for name, events in DOMAINS.items() if event in events), "web")
    thread = next((name for name in _THREADS if name in event.model_fields), None)
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(UUID(bytes=shake_128(event.type.encode()).digest(16), version=4)),
        "source": _source(event),
        "type": type_of(event),
        "time": _TIME,
    }
    if domain in _CHANNELS:
        attributes["channel"] = _CHANNELS[domain]
    if thread:
        attributes["correlationid"] = f"{thread}:{_fields(event)[thread]}"
    return attributes


def _source(event: type[Event]) -> str:
    if _is_published(event):
        return "/shop"
    return "/rapport/" + next(topic.writer for topic in TOPICS if event in topic.carries)


def _sealed(event: type[Event]) -> dict[str, Any]:
    return {
        "v": 1,
        "kid": "01hxk7q3v4",
        "n": _noise(event, "nonce", 12),
        "c": _noise(event, "ciphertext", 96),
    }


def _noise(event: type[Event], label: str, size: int) -> str:
    digest = shake_128(f"{label} of {event.type}".encode()).digest(size)
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
