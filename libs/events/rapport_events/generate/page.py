"""The catalogue as a page for people: `docs/events.md`."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rapport_events.catalogue import DOMAINS, Custom
from rapport_events.event import Event, ingest_fields, pii_fields
from rapport_events.generate.schemas import published
from rapport_events.topics import TOPICS

_HEAD: Final = """# Events

Generated from the event classes by `python -m rapport_events.generate`: do not edit.

An event is a CloudEvent; this page says what its `data` may hold. **Bold** fields are required,
🔒 marks personal data: it leaves ingest only as ciphertext. A publisher names the customer by
`data.identifiers`, an object of kind and value (`{"user_id": "u-97", "email": "ada@example.com"}`),
and may put anything else into `data.properties`, which is encrypted as a whole. Times are RFC 3339
with an offset, money is an integer of minor units with its ISO 4217 code, durations are whole
seconds. Types are kept for ever: what is new within a major is optional.
"""


def page() -> str:
    """Markdown."""
    return "\n".join([_HEAD, *_topics(), "", *_overview(), *_details()]) + "\n"


def _topics() -> Iterator[str]:
    yield "## Topics\n"
    yield "| topic | written by | read by | key | types |"
    yield "|---|---|---|---|---|"
    for topic in TOPICS:
        readers = ", ".join(topic.readers)
        count = f"{len(topic.carries)}{' and custom ones' if topic.custom else ''}"
        yield f"| `{topic.name}` | {topic.writer} | {readers} | {topic.key} | {count} |"


def _overview() -> Iterator[str]:
    yield "## Catalogue\n"
    yield "| domain | type | Segment | what happened |"
    yield "|---|---|---|---|"
    for domain, events in DOMAINS.items():
        for event in events:
            anchor = event.type.replace(".", "")
            names = ", ".join(event.segment) or "-"
            yield f"| {domain} | [`{event.type}`](#{anchor}) | {names} | {_summary(event)} |"
    yield f"| - | `custom.<name>.v1` | every other track event | {_summary(Custom)} |"


def _details() -> Iterator[str]:
    for domain, events in DOMAINS.items():
        yield f"\n## {domain.capitalize()}"
        for event in events:
            yield from _detail(event)


def _detail(event: type[Event]) -> Iterator[str]:
    yield f"\n### {event.type}\n\n{_summary(event)}\n"
    schema = published(event)
    shown = {
        name: field
        for name, field in schema["properties"].items()
        if name != "properties" and (name != "identifiers" or name in event.model_fields)
    }
    for name in sorted(ingest_fields(event)):
        yield f"Ingest adds `{name}`, the subject id behind it.\n"
    if not shown:
        return
    yield "| field | values | meaning | example |"
    yield "|---|---|---|---|"
    for name, field in shown.items():
        yield _row(event, name, field, required=name in schema.get("required", ()))


def _row(event: type[Event], name: str, field: Mapping[str, Any], *, required: bool) -> str:
    shown = f"**`{name}`**" if required else f"`{name}`"
    lock = " 🔒" if name in pii_fields(event) else ""
    example = str(field["examples"][0]).replace("|", "\\|")
    return f"| {shown}{lock} | {_values(field)} | {field.get('description', '')} | `{example}` |"


def _values(field: Mapping[str, Any]) -> str:
    choices = [part for part in field.get("anyOf", [field]) if part.get("type") != "null"]
    return " or ".join(map(_kind, choices))


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    if "minimum" in schema and abs(schema["minimum"]) <= _SHOWN:
        high = schema["maximum"]
        return f"integer, {schema['minimum']} to {high}" if high <= _SHOWN else "integer ≥ 0"
    return str(schema.get("format") or schema.get("type", "any"))


_SHOWN: Final = 1000


def _summary(event: type[Event]) -> str:
    return (event.__doc__ or "").partition("\n")[0]
