"""Hypothesis strategies for JSON that a JSON Schema of ours allows."""

from datetime import datetime
from typing import Any

from hypothesis import strategies as st

JsonSchema = dict[str, Any]
Values = st.SearchStrategy[Any]

# What PostgreSQL and JSON both hold; the canonicaliser lets nothing else in.
TEXT = st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(TEXT, max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(TEXT), inner, max_size=3),
    max_leaves=5,
)
_FIRST = datetime(1000, 1, 1)  # noqa: DTZ001 - the zone is drawn beside it
INSTANTS = st.builds(
    lambda when, digits, zone: f"{when:%Y-%m-%dT%H:%M:%S}{digits and '.' + digits}{zone}",
    # strftime pads no year before 1000.
    st.datetimes(min_value=_FIRST),
    st.text("0123456789", max_size=9),
    st.sampled_from(["Z", "z", "+00:00", "-00:00", "+05:30", "-11:00", "+14:00"]),
)


def values_of(schema: JsonSchema, root: JsonSchema | None = None) -> Values:
    """Values that the schema allows; `root` is where its references lead."""
    root = schema if root is None else root
    if "$ref" in schema:
        return values_of(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema and "properties" not in schema:
        return st.one_of([values_of(choice, root) for choice in schema["anyOf"]])
    return _of_type(schema, root)


def _of_type(schema: JsonSchema, root: JsonSchema) -> Values:
    match schema.get("type"):
        case "integer":
            return st.integers(schema.get("minimum", -(2**53)), schema.get("maximum", 2**53))
        case "string":
            return _strings(schema)
        case "array":
            return st.lists(values_of(schema["items"], root), max_size=3)
        case "object" if "properties" in schema:
            return _objects(schema, root)
        case "object":
            return _maps(schema, root)
        case other:
            return _SCALARS.get(other, ANYTHING)


_SCALARS: dict[str | None, Values] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "number": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1000, 1000),
}


def _strings(schema: JsonSchema) -> Values:
    if schema.get("format") == "date-time":
        return INSTANTS
    if schema.get("format") == "date":
        return st.dates().map(lambda day: day.isoformat())
    if "pattern" in schema:
        return st.from_regex(schema["pattern"].rstrip("$") + r"\Z", alphabet=TEXT)
    size = schema.get("minLength", 0)
    return st.text(TEXT, min_size=size, max_size=size + 8)


def _maps(schema: JsonSchema, root: JsonSchema) -> Values:
    inner = schema.get("additionalProperties", True)
    values = values_of(inner, root) if isinstance(inner, dict) else ANYTHING
    size = schema.get("minProperties", 0)
    return st.dictionaries(st.text(TEXT, min_size=1), values, min_size=size, max_size=3)


def _objects(schema: JsonSchema, root: JsonSchema) -> Values:
    required = schema.get("required", [])
    fields = {name: values_of(field, root) for name, field in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: fields[name] for name in required},
        optional={name: values for name, values in fields.items() if name not in required},
    )
