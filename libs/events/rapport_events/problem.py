"""What is wrong with an event at the door, said so that its publisher can mend it."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rapport_events.catalogue import BY_TYPE, class_of
from rapport_events.envelope import Envelope
from rapport_events.event import Event, ingest_fields, json_fields, models_in

MAX_PROBLEMS: Final = 20
"""More would not help anybody, and an event may hold a thousand wrong fields."""

_MAX_NAME: Final = 128


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend.

    `pointer` is a JSON pointer into the CloudEvent (`/data/amount`, `/type`), `code` one of
    unknown_type, missing, unknown_field, wrong_type, out_of_range, not_allowed, too_long,
    too_short, bad_format. `detail` never quotes a value: it may be personal.
    """

    pointer: str
    code: str
    detail: str


_CODES: Final = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
    "finite_number": "out_of_range",
    "literal_error": "not_allowed",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "string_too_short": "too_short",
    "too_short": "too_short",
    "string_pattern_mismatch": "bad_format",
    "timezone_aware": "bad_format",
    "bad_format": "bad_format",
    "out_of_range": "out_of_range",
}


def check(type_: str, data: object) -> list[Problem]:
    """What a publisher must mend before this data is accepted; nothing: it is valid.

    Strict: unknown fields, wrong types and fields that only ingest may set are problems.
    `data` is plain JSON (dicts, lists, strings, numbers), without `identifiers`, `context`, `pii`.
    """
    event = class_of(type_)
    if event is None:
        return [Problem("/type", "unknown_type", _unknown_type(type_))]
    if not isinstance(data, dict):
        return [Problem("/data", "wrong_type", "must be an object")]
    problems = [_not_yours(name) for name in _ingest_fields(event) if name in data]
    try:
        event.__pydantic_validator__.validate_python(data, by_alias=True, by_name=False)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[:MAX_PROBLEMS]
        problems += (_problem(event, data, one) for one in found)
    # A union complains once for each of its types.
    return list({problem.pointer: problem for problem in reversed(problems)}.values())[::-1]


@cache
def _ingest_fields(event: type[Event]) -> frozenset[str]:
    return ingest_fields(event)


def _not_yours(name: str) -> Problem:
    return Problem(f"/data/{name}", "not_allowed", "is set by ingest, leave it out")


def _unknown_type(type_: str) -> str:
    known = get_close_matches(type_[:_MAX_NAME], BY_TYPE, n=1) if type_ else ()
    hint = f"did you mean {known[0]}?" if known else "your own events are custom.<name>.v1"
    return f"no such event; {hint}"


def _problem(event: type[Event], data: dict[str, object], error: ErrorDetails) -> Problem:
    location = error["loc"]
    if "field" in error.get("ctx", {}):
        location = (*location, str(error["ctx"]["field"]))
    code = _code(error["type"])
    detail = error["msg"].replace("Input should", "must").replace("String should", "must")
    if code == "unknown_field":
        detail = _unknown_field(event, location)
    elif error["type"] == "missing":
        detail = detail.replace("Field required", "is required")
    return Problem(_pointer(data, location, whole=code == "missing"), code, detail)


def _code(error_type: str) -> str:
    if error_type in _CODES:
        return _CODES[error_type]
    return "wrong_type" if error_type.endswith("_type") else "bad_format"


def _pointer(data: object, location: Iterable[int | str], *, whole: bool) -> str:
    """As RFC 6901. Pydantic also names members of unions, which are no places in the data."""
    pointer = "/data"
    for part in location:
        if not (whole or _holds(data, part)):
            break
        data = data[part] if _holds(data, part) else None  # type: ignore[index]  # just looked
        pointer += "/" + str(part)[:_MAX_NAME].replace("~", "~0").replace("/", "~1")
    return pointer


def _holds(data: object, part: int | str) -> bool:
    return part in data if isinstance(data, dict) else isinstance(data, list | tuple)


def _unknown_field(event: type[Event], location: tuple[int | str, ...]) -> str:
    name = str(location[-1])[:_MAX_NAME]
    known = _fields_at(event, location)
    close = get_close_matches(name, known, n=1)
    if close:
        return f"no such field; did you mean `{close[0]}`?"
    if len(location) > 1:
        return f"no such field; there are {', '.join(known)}"
    if name in Envelope.__struct_fields__:
        return "is an attribute of the event: it stands beside `data`"
    return "no such field; put free-form fields under `properties`"


def _fields_at(event: type[Event], location: tuple[int | str, ...]) -> list[str]:
    fields = json_fields(event)
    if len(location) > 1:
        inner = models_in(fields[str(location[0])].annotation)
        return [name for model in inner for name in json_fields(model)]
    return sorted(fields.keys() - _ingest_fields(event))
