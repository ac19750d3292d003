"""CloudEvents 1.0, read strictly: one JSON object, or a list of them, becomes drafts.

The PyPI client invents an id where one is missing and fails on batches, so here nothing is
invented. How an event travels in headers is the matter of `cloudevents_binding`.
Source: CloudEvents 1.0.2 and its JSON format.
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from rapport_events.envelope import CHANNELS, INITIATORS

from rapport_ingest.adapters.cloudevents_data import understand
from rapport_ingest.adapters.reader import MAX_ID, read_each, refused, require_few
from rapport_ingest.adapters.values import ref
from rapport_ingest.canonical import UnreadableBodyError, parse
from rapport_ingest.clock import read_strictly
from rapport_ingest.draft import Arrival, Draft, RefusedError, Rejection

MAX_EVENTS: Final = 500

OWN: Final = frozenset({"linked", "identifiedby", "recordedtime", "fingerprint"})
"""Attributes that only ingest sets; from a publisher they are refused."""

_READ: Final = frozenset(
    {
        *("specversion", "id", "source", "type", "time", "datacontenttype", "data", "data_base64"),
        *("channel", "initiatedby", "historical", "correlationid", "causationid", "traceparent"),
        "partitionkey",  # ours is the subject; the publisher's served its own topic
    }
)
_NAME: Final = re.compile(r"[a-z0-9]{1,20}", re.ASCII)
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


def read(body: object, arrival: Arrival) -> list[Draft | Rejection]:
    """The event of a structured request, or the events of a batch. Raises TooManyEventsError."""
    events = [body] if isinstance(body, dict) else body
    if not isinstance(events, list):
        return refused(0, "the body is a CloudEvent or a list of them")
    require_few(events, MAX_EVENTS)
    opened = [_opened(event) for event in events]
    return read_each(opened, "id", partial(_draft, arrival=arrival))


def _draft(index: int, event: dict[str, Any], *, arrival: Arrival) -> Draft:
    attributes = _attributes(event)
    if attributes.get("specversion") != "1.0":
        raise _bad("specversion", 'is required and is "1.0"')
    said = understand(_required(attributes, "type", 256), _data(event))
    reading = read_strictly(attributes.get("time"), arrival.received)
    trace, notes = _trace(attributes)
    return Draft(
        index=index,
        id=_required(attributes, "id", MAX_ID),
        source=_required(attributes, "source", 256),
        type=said.type,
        time=reading.said,
        occurred=reading.occurred,
        clock=reading.clock,
        identifiers=said.identifiers,
        other=said.other,
        strict=said.strict,
        channel=_one_of(attributes, "channel", CHANNELS),
        initiated_by=_one_of(attributes, "initiatedby", INITIATORS),
        historical=_flag(attributes, "historical") or arrival.historical,
        correlation_id=_reference(attributes, "correlationid"),
        causation_id=_reference(attributes, "causationid"),
        traceparent=trace,
        data=said.data,
        context=_others(attributes),
        notes=(*said.notes, *notes),
        raw=event,
    )


def _attributes(event: Mapping[str, Any]) -> dict[str, Any]:
    """The context attributes: JSON null stands for an absent one."""
    found: dict[str, Any] = {}
    for name, value in event.items():
        if value is None or name in ("data", "data_base64"):
            continue
        if not _NAME.fullmatch(name):
            raise _bad(name, "an attribute's name is 1 to 20 characters of a-z and 0-9")
        if name in OWN:
            raise RefusedError("not_allowed", f"{name} is set by ingest, leave it out", f"/{name}")
        if not isinstance(value, str | bool | int):
            raise _bad(name, "is a string, a boolean or an integer")
        found[name] = value
    return found


def _opened(event: object) -> object:
    """The event with the JSON that its `data_base64` holds, before anything is judged.

    What cannot be opened stays, and refuses the event.
    """
    if not isinstance(event, dict) or event.get("data_base64") is None or "data" in event:
        return event
    try:
        data = parse(b64decode(event["data_base64"], validate=True))
    except (ValueError, TypeError, UnreadableBodyError):
        return event
    # type(event) keeps the mark of an object in which a key stood twice.
    rest = {name: value for name, value in event.items() if name != "data_base64"}
    return type(event)(rest, data=data)


def _others(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept among the sealed: a publisher's subject may well be an e-mail address."""
    others = {name: value for name, value in attributes.items() if name not in _READ}
    return {"attributes": others} if others else {}


def _data(event: Mapping[str, Any]) -> object:
    if event.get("data_base64") is not None:
        detail = "data_base64 is the base64 of JSON, and stands in the place of data"
        raise RefusedError("bad_data", detail, "/data_base64")
    return event.get("data")


def _required(attributes: Mapping[str, Any], name: str, longest: int) -> str:
    value = attributes.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise _bad(name, f"is required, and a string of 1 to {longest} characters")
    return value


def _one_of(attributes: Mapping[str, Any], name: str, allowed: frozenset[str]) -> str | None:
    value = attributes.get(name)
    if value is None or value in allowed:
        return value
    raise _bad(name, f"is one of {', '.join(sorted(allowed))}")


def _flag(attributes: Mapping[str, Any], name: str) -> bool:
    """In headers every value is a string, so a string may be a boolean."""
    value = attributes.get(name, False)
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value)
    if isinstance(value, bool):
        return value
    raise _bad(name, "is true or false")


def _reference(attributes: Mapping[str, Any], name: str) -> str | None:
    value = attributes.get(name)
    if value is None:
        return None
    text = ref(value)
    if text is None:
        raise _bad(name, "is a string of 1 to 256 characters")
    return text


def _trace(attributes: Mapping[str, Any]) -> tuple[str | None, tuple[str, ...]]:
    """W3C Trace Context: a traceparent that cannot be read is ignored, never an error."""
    value = attributes.get("traceparent")
    if value is None or (isinstance(value, str) and _TRACEPARENT.fullmatch(value)):
        return value, ()
    return None, ("traceparent ignored: it is not W3C Trace Context",)


def _bad(name: str, why: str) -> RefusedError:
    pointer = name[:64].replace("~", "~0").replace("/", "~1")
    return RefusedError("bad_attribute", f"{name[:64]}: {why}", f"/{pointer}")
