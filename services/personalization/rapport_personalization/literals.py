"""Conditions when they are saved: what compiles, and could never be a yes, is refused as well.

A document that was accepted once is read without it: what a later version of this program has
learned to refuse must not stop a worker.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final, NamedTuple
from zoneinfo import available_timezones

from cel_expr_python import cel

from rapport_personalization.conditions import (
    MAP_FIELDS,
    ConditionError,
    compile_condition,
    nearest_field,
)
from rapport_personalization.domain.field import Type
from rapport_personalization.domain.trigger import Condition

_TOKEN: Final = re.compile(
    r"""//[^\n]*
    | [bB]?[rR][bB]?(?:"[^"\n]*"|'[^'\n]*')
    | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*'""",
    re.VERBOSE,
)
_HAS: Final = re.compile(r"(?<![\w.])has\s*\(\s*([A-Za-z_][\w.]*)\s*\)")
_ARGUMENT: Final = re.compile(
    r"(?:(?<![\w.])(duration|timestamp)|\.\s*(matches|get[A-Z]\w*))\s*\(\s*$"
)
_INDEX: Final = re.compile(r"(?:[\])]|(?<!\w)(?!in\b)[A-Za-z_]\w*)\s*\[\s*$")
_PATH: Final = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+(?=\s*\()")
_OF_ELEMENT: Final = re.compile(r"\]\s*\.\s*([A-Za-z_]\w*)(?!\w|\s*\()")
_PARTS: Final = re.compile(r"(\d+(?:\.\d+)?)([wdhms])")
_SECONDS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_NOON: Final = 'timestamp("2026-03-02T12:00:00Z")'


class _Text(NamedTuple):
    """A text in a condition, as it is written there."""

    start: int
    end: int
    written: str

    @property
    def said(self) -> str:
        return self.written.lstrip("rRbB").strip("\"'")


def check_condition(source: str, schema: Mapping[str, Type]) -> Condition:
    """Over the fields of `schema`. Raises ConditionError, also for what is only ever a no."""
    texts, bare = _parts(source)
    _check_has(bare, schema)
    condition = compile_condition(source, schema)
    for text in texts:
        _check_argument(text, bare)
        _check_index(text, bare)
    for start, field, root in _elements(bare, schema):
        if field not in MAP_FIELDS:
            near = nearest_field(field, MAP_FIELDS)
            hint = None if near is None else f"{root}{near}"
            raise _at(bare, start, f"there is no `{root}{field}`", hint)
    return condition


def _parts(source: str) -> tuple[list[_Text], str]:
    """The texts in it, and the rest of it, with everything where it was."""
    found = [
        _Text(token.start(), token.end(), token[0])
        for token in _TOKEN.finditer(source)
        if not token[0].startswith("//")
    ]
    blank = _TOKEN.sub(lambda token: re.sub(r"[^\n]", " ", token[0]), source)
    return found, blank


def _check_has(bare: str, schema: Mapping[str, Type]) -> None:
    """To the engine a field is no part of anything, so that `has` of it is its value."""
    for found in _HAS.finditer(bare):
        if found[1] in schema:
            raise _at(
                bare,
                found.start(),
                f"`has` is not needed: a comparison with `{found[1]}` is a no while nobody knows"
                " it; write what it must be",
            )


def _check_argument(text: _Text, bare: str) -> None:
    called = _ARGUMENT.search(bare, 0, text.start)
    if called is None or not bare[text.end :].lstrip().startswith(")"):
        return
    name = called[1] or called[2]
    reason = _refused(name, text.written)
    if reason is None:
        return
    said = text.said
    match name:
        case "duration":
            message = f"`{said}` is no duration: CEL counts in h, m and s"
            hint = _in_hours(said)
        case "timestamp":
            message = f"`{said}` is no timestamp: one is written like 2026-03-02T12:00:00Z"
            hint = f"{said}T00:00:00Z" if _DAY.fullmatch(said) else None
            hint = None if hint is None or _refused(name, f'"{hint}"') else hint
        case "matches":
            message = f"`{said}` is no regular expression: {reason.rpartition('expression: ')[2]}"
            hint = None
        case _:
            message, hint = f"there is no time zone `{said}`", nearest_field(said, _zones())
    raise _at(bare, text.start, message, hint)


def _check_index(text: _Text, bare: str) -> None:
    if _INDEX.search(bare, 0, text.start) is None:
        return
    if bare[text.end :].lstrip().startswith("]") and text.said not in MAP_FIELDS:
        message, near = f"there is no `{text.said}`", nearest_field(text.said, MAP_FIELDS)
        raise _at(bare, text.start, message, near)


def _elements(bare: str, schema: Mapping[str, Type]) -> Iterator[tuple[int, str, str]]:
    """Where the field of an object in a list is named, that field, and what it is one of."""
    roots = {name.split(".")[0] for name in schema}
    for path in _PATH.finditer(bare):
        # What is called is no field: `o.id.startsWith(…)`.
        root, *fields = path[0].split(".")[:-1]
        if fields and root not in roots:
            yield path.start(), fields[0], f"{root}."
    for found in _OF_ELEMENT.finditer(bare):
        yield found.start(1), found[1], ""


def _refused(name: str, written: str) -> str | None:
    """What the engine says against it where it stands alone; None: nothing."""
    match name:
        case "duration" | "timestamp":
            asked = f"{name}({written}) == {name}({written})"
        case "matches":
            asked = f'"".matches({written})'
        case _:
            asked = f"{_NOON}.{name}({written}) == 0"
    try:
        value = _alone().compile(asked).eval(data={})
    except RuntimeError:
        # What does not even compile alone has been refused, or is something else.
        return None
    return None if value.type() == cel.Type.BOOL else str(value.value())


def _in_hours(said: str) -> str | None:
    """`7d` is `168h`."""
    parts = _PARTS.findall(said)
    if not parts or "".join(number + unit for number, unit in parts) != said:
        return None
    total = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if total % _SECONDS["h"] == 0:
        return f"{total / _SECONDS['h']:.0f}h"
    return f"{total / _SECONDS['m']:.0f}m" if total % _SECONDS["m"] == 0 else f"{total:g}s"


@cache
def _alone() -> cel.Env:
    return cel.NewEnv(variables={})


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _at(bare: str, start: int, message: str, hint: str | None = None) -> ConditionError:
    line = bare.count("\n", 0, start) + 1
    return ConditionError(message, line, start - bare.rfind("\n", 0, start), hint)
