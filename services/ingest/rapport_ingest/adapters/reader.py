"""The walk over the events of a request, which no single event can stop."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid5

import orjson
from rapport_events.codec import Problem
from rapport_runtime.http.problems import ApiError

from rapport_ingest.adapters.values import id_text
from rapport_ingest.canonical import canonicalise
from rapport_ingest.clock import BadTimeError
from rapport_ingest.draft import Arrival, Draft, RefusedError, Rejection

MAX_ID: Final = 128
MAX_EVENTS: Final = 5_000
"""Of one request; the real clients send 100. Reading them holds up everybody else's requests."""

_KEYS: Final = frozenset({"writeKey", "write_key", "api_key", "apiKey", "$token", "token"})
"""Where clients put their key inside a body; it is never kept with what is stored."""
_NAMELESS: Final = UUID("5b0a2d4e-7f3c-5d7e-9a64-0f5f0c6c1c57")
_MOVING: Final = frozenset({"sentAt", "sent_at", "receivedAt"})
"""Members that differ when the same event is sent again."""


class TooManyEventsError(ApiError):
    """A request is taken as a whole or not at all, so a long one has to be split."""

    status_code = 413

    def __init__(self, count: int, most: int) -> None:
        super().__init__(f"a request has at most {most} events, this one has {count}; split it")


def require_few(events: Sequence[object], most: int = MAX_EVENTS) -> None:
    """Raises `TooManyEventsError` before anything is looked at."""
    if len(events) > most:
        raise TooManyEventsError(len(events), most)


def read_each(
    events: Sequence[object], id_member: str, read: Callable[[int, dict[str, Any]], Draft]
) -> list[Draft | Rejection]:
    """Every event of a request as what it became, in order. `read` raises `RefusedError`.

    Raises `TooManyEventsError`.
    """
    require_few(events)
    return [_read_one(index, raw, id_member, read) for index, raw in enumerate(events)]


def event_id(sent: object, event: Mapping[str, Any], arrival: Arrival, index: int) -> str:
    """The publisher's id, opaque; without one an id that a second sending gets again.

    Raises `RefusedError` for what is no id, or longer than an id may be.
    """
    if sent is None or sent == "":
        kept = {name: value for name, value in event.items() if name not in _MOVING}
        content = orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()
        return str(uuid5(_NAMELESS, f"{arrival.source}\n{index}\n{content}"))
    text = id_text(sent)
    if text is None or len(text) > MAX_ID:
        raise RefusedError("bad_id", f"an event id is text of 1 to {MAX_ID} characters")
    return text


def refused(index: int, detail: str) -> list[Draft | Rejection]:
    """The answer to a body that is JSON, but no request of this dialect."""
    return [Rejection(index=index, id=None, code="bad_request_shape", detail=detail)]


def without_keys(event: dict[str, Any]) -> dict[str, Any]:
    if _KEYS.isdisjoint(event):
        return event
    # type(event) keeps the mark of an object in which a key stood twice.
    return type(event)({name: value for name, value in event.items() if name not in _KEYS})


def _read_one(
    index: int, raw: object, id_member: str, read: Callable[[int, dict[str, Any]], Draft]
) -> Draft | Rejection:
    if isinstance(raw, dict):
        raw = without_keys(raw)
    event = canonicalise(raw)
    if isinstance(event, Problem):
        return _rejection(index, raw, id_member, event.code, event.detail, event.pointer)
    try:
        return read(index, event)
    except RefusedError as error:
        return _rejection(index, raw, id_member, error.code, error.detail, error.pointer)
    except BadTimeError as error:
        return _rejection(index, raw, id_member, error.code, error.detail, "")


def _rejection(
    index: int, raw: object, id_member: str, code: str, detail: str, pointer: str
) -> Rejection:
    return Rejection(
        index=index,
        id=_shown_id(raw, id_member),
        code=code,
        detail=detail,
        pointer=pointer[:256] or None,
        raw=raw,
    )


def _shown_id(raw: object, id_member: str) -> str | None:
    """The id for the answer, when it can be repeated: an odd one may not even encode."""
    text = id_text(raw.get(id_member)) if isinstance(raw, dict) else None
    return text if text is not None and len(text) <= MAX_ID and text.isprintable() else None
