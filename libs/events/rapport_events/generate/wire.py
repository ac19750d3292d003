"""Writes `wire.py`: the clear fields of every event as msgspec structs.

A struct is tolerant where the class is strict: unknown fields are skipped and vocabularies are
open, so that a consumer reads what a newer publisher writes. What the class requires stays
required, because a fold cannot do without it.
"""

import types
from datetime import date, datetime
from keyword import iskeyword
from typing import Annotated, Final, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from rapport_events.catalogue import CLASSES, EVENTS
from rapport_events.event import (
    SUBJECT_PATTERN,
    Event,
    SubjectId,
    json_fields,
    models_in,
    pii_fields,
)

_HEAD: Final = '''"""The clear fields of every event, as consumers decode them.

Generated from the event classes by `python -m rapport_events.generate`: do not edit.
"""

from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct, field

Instant = Annotated[datetime, Meta(tz=True)]
SubjectId = Annotated[
    str, Meta(pattern=r"{pattern}")
]


class Sealed(Struct, frozen=True, gc=False):
    """Personal data as it stands in the log: AES-256-GCM under the data key `kid`."""

    v: int
    kid: str
    n: str
    """Nonce, base64url without padding."""
    c: str
    """Ciphertext and tag, base64url without padding."""


class Clock(Struct, frozen=True, gc=False):
    """The times as the publisher's machine and ours said them."""

    original: str | int | float | None = None
    sent: str | int | float | None = None
    received: str | int | float | None = None
    clamped: bool = False


class Context(Struct, frozen=True, gc=False):
    """How the event came in; the personal rest of it is in `pii`."""

    clock: Clock | None = None
    library: str | None = None


class Data(Struct, frozen=True, kw_only=True, gc=False):
    """What the data of every event may hold."""

    context: Context | None = None
    pii: Sealed | None = None
'''

_SCALARS: Final[dict[object, str]] = {
    str: "str",
    int: "int",
    float: "float",
    bool: "bool",
    datetime: "Instant",
    AwareDatetime: "Instant",
    date: "str",
    types.NoneType: "None",
}


def wire_module() -> str:
    """The text of `wire.py`."""
    parts = [_HEAD.replace("{pattern}", SUBJECT_PATTERN.removesuffix("$") + r"\Z")]
    parts += map(_plain_struct, _nested_models())
    parts += map(_data_struct, CLASSES)
    entries = "".join(f'    "{event.type}": {event.__name__},\n' for event in EVENTS)
    parts.append(f"BY_TYPE: Final[dict[str, type[Data]]] = {{\n{entries}}}\n")
    return "\n\n".join(parts)


def _data_struct(event: type[Event]) -> str:
    pii = pii_fields(event)
    lines = [_line(name, field) for name, field in json_fields(event).items() if name not in pii]
    return _struct(event.__name__, "Data", event.type, lines)


def _plain_struct(model: type[BaseModel]) -> str:
    lines = [_line(name, field) for name, field in json_fields(model).items()]
    return _struct(model.__name__, "Struct", model.__doc__ or "", lines)


def _struct(name: str, base: str, docstring: str, lines: list[str]) -> str:
    head = f"class {name}({base}, frozen=True, kw_only=True, gc=False):\n"
    return "".join([head, f'    """{docstring}"""\n', *(["\n"] if lines else []), *lines])


def _line(name: str, field: FieldInfo) -> str:
    python_name = f"{name}_" if iskeyword(name) else name
    options = [] if field.is_required() else ["default=None"]
    if python_name != name:
        options.append(f'name="{name}"')
    value = ""
    if options == ["default=None"]:
        value = " = None"
    elif options:
        value = f" = field({', '.join(options)})"
    return f"    {python_name}: {_render(field.annotation)}{value}\n"


def _render(annotation: object) -> str:
    """A pydantic field's type without its constraints, as source text."""
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation == SubjectId:
        return "SubjectId"
    if origin is Annotated:
        return _render(arguments[0])
    if origin is Literal:
        return "str"
    if origin in (Union, types.UnionType):
        return " | ".join(dict.fromkeys(_render(argument) for argument in arguments))
    if origin in (list, dict):
        return f"{origin.__name__}[{', '.join(_render(argument) for argument in arguments)}]"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation.__name__
    raise TypeError(f"no wire type for {annotation!r}")


def _nested_models() -> list[type[BaseModel]]:
    """Models that clear fields are made of, in order of first use."""
    found: dict[type[BaseModel], None] = {}
    for event in EVENTS:
        for field in event.model_fields.values():
            found.update(dict.fromkeys(models_in(field.annotation)))
    return list(found)
