"""Events as the Segment spec has them: Segment's, RudderStack's and Jitsu's clients.

Source: the Segment spec, and what the real clients were seen to send.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from rapport_events.codec import Problem
from rapport_events.envelope import CHANNELS

from rapport_ingest.adapters.calls import CALLS, Said, contacts, external_ids
from rapport_ingest.adapters.reader import event_id, read_each, refused
from rapport_ingest.adapters.values import id_text, members, ref
from rapport_ingest.canonical import Repeated, UnreadableBodyError, canonicalise
from rapport_ingest.clock import Reading, read_clock
from rapport_ingest.draft import Arrival, Draft, RefusedError, Rejection

CHANNEL_NAMES: Final = {"web": "web", "mobile": "app", "browser": "web"}
"""RudderStack's channels, where they say something; its `server` is no channel of a customer."""

LIBRARY_CHANNELS: Final = {
    "analytics.js": "web",
    "@segment/analytics-next": "web",
    "RudderLabs JavaScript SDK": "web",
    "analytics-ios": "app",
    "analytics-swift": "app",
    "analytics-android": "app",
    "analytics-kotlin": "app",
    "analytics-flutter": "app",
    "analytics-react-native": "app",
}
"""Clients that run in one place only."""


class _Request(NamedTuple):
    """What one request says of all its events."""

    arrival: Arrival
    around: Mapping[str, Any]
    call: str | None


def read(body: object, arrival: Arrival, *, call: str | None = None) -> list[Draft | Rejection]:
    """The events of a request: of a batch, or the one of a single route (`call`: "track" …).

    Raises `UnreadableBodyError` when the batch itself is ambiguous.
    """
    events, around = _unpack(body)
    if events is None:
        return refused(0, 'the body is an event, or an object with a list "batch"')
    request = _Request(arrival, around, call)
    return read_each(events, "messageId", partial(_draft, request=request))


def _unpack(body: object) -> tuple[Sequence[object] | None, dict[str, Any]]:
    """The events, and what the request says of all of them, as far as that can be kept."""
    if isinstance(body, list):
        return body, {}
    if not isinstance(body, dict):
        return None, {}
    if "batch" not in body:
        return [body], {}
    if isinstance(body, Repeated):
        raise UnreadableBodyError("a key stands twice beside the batch")
    batch = body["batch"]
    if not isinstance(batch, list):
        return None, {}
    around: dict[str, Any] = {"sentAt": body.get("sentAt")}
    if body.get("context") is not None:
        shared = canonicalise(body["context"])
        around["context"] = {} if isinstance(shared, Problem) else shared
    return batch, around


def _draft(index: int, event: dict[str, Any], request: _Request) -> Draft:
    arrival = request.arrival
    context = _context(event, request.around)
    said = _call(event, request.call)(event, context)
    library = context.pop("library", None)
    identifiers = said.identifiers | contacts(context.get("traits")) | _ids(event, context)
    if not identifiers:
        raise RefusedError("no_identity", "the event has neither a userId nor an anonymousId")
    reading = _reading(event, request)
    return Draft(
        index=index,
        id=event_id(event.get("messageId"), event, arrival, index),
        source=arrival.source,
        type=said.meaning.type,
        time=reading.said,
        occurred=reading.occurred,
        clock=reading.clock,
        identifiers=identifiers,
        other=said.other,
        channel=_channel(event, members(library)) or said.meaning.channel,
        historical=arrival.historical,
        library=_library(members(library)),
        data=said.meaning.data,
        context={name: value for name, value in context.items() if value not in ({}, None)},
        notes=said.meaning.notes,
        raw=event,
    )


def _reading(event: Mapping[str, Any], request: _Request) -> Reading:
    original, sent = event.get("originalTimestamp"), event.get("sentAt")
    original = event.get("timestamp") if original is None else original
    sent = request.around.get("sentAt") if sent is None else sent
    return read_clock(original, sent, request.arrival.received)


def _call(
    event: Mapping[str, Any], route: str | None
) -> Callable[[Mapping[str, Any], dict[str, Any]], Said]:
    name = route if route in CALLS else event.get("type")
    if not isinstance(name, str) or name not in CALLS:
        raise RefusedError("unknown_call", f"type is one of {', '.join(CALLS)}", "/type")
    return CALLS[name]


def _context(event: Mapping[str, Any], around: Mapping[str, Any]) -> dict[str, Any]:
    own = members(event.get("context"))
    shared = members(around.get("context"))
    return {**shared, **own} if shared else dict(own)


def _ids(event: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, str]:
    identifiers = external_ids(context) if "externalIds" in context else {}
    if (user := id_text(event.get("userId"))) is not None:
        identifiers["user_id"] = user
    if (anonymous := id_text(event.get("anonymousId"))) is not None:
        identifiers["anonymous_id"] = anonymous
    return identifiers


def _channel(event: Mapping[str, Any], library: Mapping[str, Any]) -> str | None:
    said = event.get("channel")
    if isinstance(said, str) and (channel := CHANNEL_NAMES.get(said, said)) in CHANNELS:
        return channel
    name = library.get("name")
    return LIBRARY_CHANNELS.get(name) if isinstance(name, str) else None


def _library(library: Mapping[str, Any]) -> str | None:
    name, version = ref(library.get("name")), ref(library.get("version"))
    return f"{name}/{version}"[:128] if name and version else name
