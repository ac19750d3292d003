"""The AsyncAPI 3.1 document: topics, their messages, and who sends them."""

from typing import Any, Final

import msgspec

from rapport_events import wire
from rapport_events.catalogue import CLASSES, Custom
from rapport_events.envelope import CHANNELS, INITIATORS
from rapport_events.event import SUBJECT_PATTERN, Event
from rapport_events.generate.schemas import JsonSchema, logged, published
from rapport_events.topics import INBOUND, TOPICS, Topic

_REF: Final = "#/components/schemas/{model}"
PUBLISHED: Final[tuple[type[Event], ...]] = (*INBOUND.carries, Custom)
_CONTENT_TYPE: Final = "application/cloudevents+json"

_TIME: Final[JsonSchema] = {"type": "string", "format": "date-time"}
_SUBJECT: Final[JsonSchema] = {"type": "string", "pattern": SUBJECT_PATTERN}
_ATTRIBUTES: Final[JsonSchema] = {
    "specversion": {"const": "1.0"},
    "id": {"type": "string", "minLength": 1, "maxLength": 128},
    "source": {"type": "string", "minLength": 1},
    "type": {"type": "string"},
    "time": _TIME | {"description": "When it happened."},
    "correlationid": {"type": "string", "description": "The business thread it belongs to."},
    "causationid": {"type": "string", "description": "The event that caused this one."},
    "traceparent": {"type": "string", "description": "W3C Trace Context."},
    "channel": {"enum": sorted(CHANNELS)},
    "initiatedby": {"enum": sorted(INITIATORS)},
    "historical": {
        "type": "boolean",
        "description": "Back-filled: changes state, triggers nothing.",
    },
}
_SET_BY_INGEST: Final[JsonSchema] = {
    "subject": _SUBJECT | {"description": "Random id of the customer."},
    "linked": {
        "type": "string",
        "description": "Subject ids of the event's other identifiers, separated by commas.",
    },
    "identifiedby": {
        "type": "string",
        "description": "Kinds of the identifiers behind `subject` and each of `linked`, "
        "separated by commas.",
        "examples": ["user_id,email"],
    },
    "partitionkey": {"type": "string"},
    "recordedtime": _TIME | {"description": "When ingest accepted it."},
    "fingerprint": {"type": "string", "description": "Keyed hash of what the publisher sent."},
}


def asyncapi() -> dict[str, Any]:
    """The document, as JSON."""
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Rapport",
            "version": "1",
            "description": "Every event that Rapport reads or writes. Values are structured "
            "CloudEvents 1.0 JSON; personal data is encrypted in all topics but the inbound one.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": _CONTENT_TYPE,
        "channels": {_slug(topic): _channel(topic) for topic in TOPICS},
        "operations": {_slug(topic): _operation(topic) for topic in TOPICS},
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _slug(topic: Topic) -> str:
    return topic.name.split(".")[1]


def _channel(topic: Topic) -> dict[str, Any]:
    prefix = "published" if topic is INBOUND else "logged"
    types = [event.type for event in topic.carries] + (["custom"] if topic.custom else [])
    return {
        "address": topic.name,
        "description": f"Written by {topic.writer}; read by {', '.join(topic.readers)}.",
        "messages": {type_: {"$ref": f"#/components/messages/{prefix}.{type_}"} for type_ in types},
        "bindings": {"kafka": {"topic": topic.name, "bindingVersion": "0.5.0"}},
    }


def _operation(topic: Topic) -> dict[str, Any]:
    return {
        "action": "receive" if topic is INBOUND else "send",
        "channel": {"$ref": f"#/channels/{_slug(topic)}"},
        "summary": f"Record key: {topic.key}.",
    }


def _messages() -> dict[str, Any]:
    return {
        f"{prefix}.{event.type}": _message(prefix, event)
        for prefix, events in (("published", PUBLISHED), ("logged", CLASSES))
        for event in events
    }


def _message(prefix: str, event: type[Event]) -> dict[str, Any]:
    envelope = "PublishedEnvelope" if prefix == "published" else "LoggedEnvelope"
    type_ = (
        {"pattern": r"^custom\.[a-z0-9_]{1,60}\.v1$"} if event is Custom else {"const": event.type}
    )
    return {
        "name": event.type,
        "title": event.__name__,
        "summary": (event.__doc__ or "").partition("\n")[0],
        "contentType": _CONTENT_TYPE,
        "headers": {"$ref": _REF.format(model="Headers")},
        "payload": {
            "allOf": [
                {"$ref": _REF.format(model=envelope)},
                {
                    "properties": {
                        "type": type_,
                        "data": {"$ref": _REF.format(model=f"{prefix}.{event.type}")},
                    }
                },
            ]
        },
    }


def _schemas() -> dict[str, JsonSchema]:
    _, sealed = msgspec.json.schema_components(
        (wire.Sealed, wire.Context), ref_template="#/components/schemas/{name}"
    )
    found = {
        "Headers": _headers(),
        "PublishedEnvelope": _envelope(_ATTRIBUTES, ["specversion", "id", "source", "type"]),
        "LoggedEnvelope": _envelope(
            _ATTRIBUTES | _SET_BY_INGEST,
            ["specversion", "id", "source", "type", "time", "recordedtime"],
        ),
    } | sealed
    found |= {f"published.{event.type}": published(event, _REF) for event in PUBLISHED}
    found |= {f"logged.{event.type}": logged(event, _REF) for event in CLASSES}
    for schema in list(found.values()):
        found |= schema.pop("$defs", {})
    return found


def _envelope(attributes: JsonSchema, required: list[str]) -> JsonSchema:
    return {"type": "object", "required": required, "properties": attributes}


def _headers() -> JsonSchema:
    names = ("ce_id", "ce_type", "ce_source", "ce_time")
    return {
        "type": "object",
        "properties": {"content-type": {"const": _CONTENT_TYPE}}
        | {name: {"type": "string"} for name in names},
    }
