"""How CloudEvents travel: structured, batched or binary, over HTTP and Kafka.

Source: the HTTP and the Kafka protocol binding of CloudEvents 1.0.2.
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from rapport_runtime.http.problems import ApiError

from rapport_ingest.adapters import cloudevents
from rapport_ingest.adapters.reader import refused
from rapport_ingest.canonical import parse
from rapport_ingest.draft import Arrival, Draft, RefusedError, Rejection

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"

_HTTP_PREFIX: Final = "ce-"
_KAFKA_PREFIX: Final = "ce_"
_UTF8: Final = frozenset({"utf-8", "utf8", "us-ascii"})
_CHARSET: Final = re.compile(r';\s*charset\s*=\s*"?([^";\s]+)', re.IGNORECASE)
_ESCAPE: Final = re.compile(r"\\(.)")


class UnsupportedFormatError(ApiError):
    """The event is in a format other than JSON, or in a text encoding other than UTF-8."""

    status_code = 415


def read_http(
    headers: Iterable[tuple[str, str]], body: bytes, arrival: Arrival
) -> list[Draft | Rejection]:
    """The events of a request to `/v1/events`, in whichever mode its headers say.

    Plain JSON that holds events is taken for what it is. Raises `UnreadableBodyError`,
    `UnsupportedFormatError` and `TooManyEventsError`.
    """
    pairs = [(name.lower(), value) for name, value in headers]
    content_type = next((value for name, value in pairs if name == "content-type"), "")
    media = _media_type(content_type)
    if media.startswith("application/cloudevents"):
        return _read_structured(media, body, arrival)
    sent = [pair for pair in pairs if pair[0].startswith(_HTTP_PREFIX)]
    if not sent:
        return cloudevents.read(parse(body), arrival)
    try:
        attributes = _collected((name[3:], _decoded(name[3:], value)) for name, value in sent)
        event = _bound(attributes, content_type, media, body)
    except RefusedError as error:
        return [_rejection(error, dict(sent), body)]
    return cloudevents.read(event, arrival)


def read_kafka(
    headers: Iterable[tuple[str, bytes]], value: bytes | None, arrival: Arrival
) -> list[Draft | Rejection]:
    """The event of a record of the inbound topic. Raises as `read_http` does.

    A null value with headers is an event without data; nothing is deleted by it.
    """
    body = value or b""
    pairs = [(name.lower(), raw) for name, raw in headers]
    content_type = next((raw for name, raw in pairs if name == "content-type"), b"").decode(
        "latin-1"
    )
    media = _media_type(content_type)
    if media.startswith("application/cloudevents"):
        return _read_structured(media, body, arrival)
    sent = [pair for pair in pairs if pair[0].startswith(_KAFKA_PREFIX)]
    if not sent:
        return cloudevents.read(parse(body), arrival)
    try:
        attributes = _collected((name[3:], _kafka_text(name[3:], raw)) for name, raw in sent)
        event = _bound(attributes, content_type, media, body)
    except RefusedError as error:
        shown = {name: raw.decode(errors="replace") for name, raw in sent}
        return [_rejection(error, shown, body)]
    return cloudevents.read(event, arrival)


def _read_structured(media: str, body: bytes, arrival: Arrival) -> list[Draft | Rejection]:
    if media not in (STRUCTURED, BATCH):
        raise UnsupportedFormatError(f"send {STRUCTURED} or {BATCH}")
    value = parse(body)
    if isinstance(value, list) != (media == BATCH):
        return refused(0, "a batch is a list, a structured event is an object")
    return cloudevents.read(value, arrival)


def _bound(
    attributes: dict[str, Any], content_type: str, media: str, body: bytes
) -> dict[str, Any]:
    """The event of a binary message. No body: an event without data, and no tombstone."""
    for name in ("data", "data_base64", "datacontenttype"):
        if name in attributes:
            raise RefusedError("bad_attribute", f"{name} is no header of its own", f"/{name}")
    event = dict(attributes)
    if content_type:
        event["datacontenttype"] = content_type
    if not body:
        return event
    if media and not _is_json(media):
        raise RefusedError("bad_data", "data is JSON; send content-type application/json", "/data")
    return {**event, "data": parse(body)}


def _media_type(content_type: str) -> str:
    charset = _CHARSET.search(content_type)
    if charset and charset[1].lower() not in _UTF8:
        raise UnsupportedFormatError("events are UTF-8")
    return content_type.partition(";")[0].strip().lower()


def _is_json(media: str) -> bool:
    return media in ("application/json", "text/json") or media.endswith("+json")


def _collected(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for name, value in pairs:
        if name in attributes:
            raise RefusedError("bad_attribute", f"{name[:64]} is there twice", f"/{name[:64]}")
        attributes[name] = value
    return attributes


def _decoded(name: str, value: str) -> str:
    """A header's value: unquoted, then percent-decoded as UTF-8."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = _ESCAPE.sub(r"\1", value[1:-1])
    if value.isascii() and "%" not in value:
        return value
    try:
        return unquote_to_bytes(value.encode("ascii")).decode()
    except UnicodeError:
        detail = f"{name[:64]}: a header holds ASCII, with the rest as percent-encoded UTF-8"
        raise RefusedError("bad_attribute", detail, f"/{name[:64]}") from None


def _kafka_text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        detail = f"{name[:64]}: a header holds UTF-8"
        raise RefusedError("bad_attribute", detail, f"/{name[:64]}") from None


def _rejection(error: RefusedError, headers: dict[str, str], body: bytes) -> Rejection:
    """What was refused before it was one event is kept as the headers and bytes that came."""
    return Rejection(
        index=0,
        id=None,
        code=error.code,
        detail=error.detail,
        pointer=error.pointer or None,
        raw={**headers, "data_base64": b64encode(body).decode()},
    )
