"""JSON Schemas of what a publisher may put into `data`, one for each type."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import DEFAULT_REF_TEMPLATE

from rapport_events.catalogue import CLASSES, DOMAINS
from rapport_events.event import Event, ingest_fields, pii_fields

JsonSchema = dict[str, Any]

IDENTIFIERS: Final[JsonSchema] = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 32,
    "additionalProperties": {"type": ["string", "integer"]},
    "description": "Who the customer is, by kind: user_id, anonymous_id, email, phone, or any "
    "external id. Left out: the event is about nobody in particular.",
    "examples": [{"user_id": "u-97", "email": "ada@example.com"}],
}


def schemas() -> Mapping[str, JsonSchema]:
    """JSON Schema 2020-12 by event type."""
    return {event.type: _document(event) for event in CLASSES}


def _document(event: type[Event]) -> JsonSchema:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:rapport:{event.type}",
    } | published(event)


def published(event: type[Event], ref_template: str = DEFAULT_REF_TEMPLATE) -> JsonSchema:
    """The data as a publisher sends it: nothing encrypted, the customer named by identifiers."""
    schema = _schema_of(event, ref_template)
    for name in ingest_fields(event):
        del schema["properties"][name]
    if event not in DOMAINS["metrics"]:
        schema["properties"].setdefault("identifiers", IDENTIFIERS)
    return schema


def logged(event: type[Event], ref_template: str) -> JsonSchema:
    """The data as it stands in the log: clear fields, context and the sealed rest."""
    schema = _schema_of(event, ref_template)
    for name in pii_fields(event):
        del schema["properties"][name]
    schema["required"] = [
        name for name in schema.get("required", ()) if name in schema["properties"]
    ]
    schema["properties"] |= {
        "context": {"$ref": ref_template.format(model="Context")},
        "pii": {"$ref": ref_template.format(model="Sealed")},
    }
    # A newer minor may say more than this reader knows.
    del schema["additionalProperties"]
    return schema


def _schema_of(model: type[BaseModel], ref_template: str) -> JsonSchema:
    schema = model.model_json_schema(ref_template=ref_template)
    _tidy(schema)
    return schema


def _tidy(schema: JsonSchema) -> None:
    """Generated titles repeat the names, and a default of null says what "not required" says."""
    for field in schema.get("properties", {}).values():
        field.pop("title", None)
        if field.get("default", ...) is None:
            del field["default"]
    for nested in schema.get("$defs", {}).values():
        _tidy(nested)
