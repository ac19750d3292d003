"""Conditions in CEL: judged when they are saved, and a plain yes or no ever after.

The engine is young, so all of it stays behind two methods: `compile_condition` and `holds`. What
it gives for an error is a value that looks like a text, so a condition holds only if the result
is a boolean, and true.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final

from cel_expr_python import cel

from rapport_personalization.domain.field import Type
from rapport_personalization.domain.trigger import Condition, Verdict

MAX_LENGTH: Final = 2_000
"""Characters. What is longer nobody can check by reading."""

MAP_FIELDS: Final = frozenset({"id", "placed_at", "delivered_at", "amount", "net", "is_standing"})
"""Of the objects in `customer.orders`, the only list of objects there is."""

_TYPES: Final[Mapping[Type, Any]] = {
    "int": cel.Type.INT,
    "double": cel.Type.DOUBLE,
    "bool": cel.Type.BOOL,
    "string": cel.Type.STRING,
    "timestamp": cel.Type.TIMESTAMP,
    "duration": cel.Type.DURATION,
    "strings": cel.Type.List(cel.Type.STRING),
    "maps": cel.Type.List(cel.Type.Map(cel.Type.STRING, cel.Type.DYN)),
}
_PLACE: Final = re.compile(r"<input>:(\d+):(\d+): (.*?)(?: \[[A-Z_]+\])?$", re.MULTILINE)
_UNDECLARED: Final = re.compile(r"undeclared reference to '([^']+)'")
_TEXT: Final = re.compile(r"//[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")
_PATH: Final = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_CALL: Final = re.compile(r"\s*\(")
_CLOSE: Final = 0.6

_REPEATED: Final = frozenset({int, bool, str})
_MOST_VERDICTS: Final = 512
_MOST_LETTERS: Final = 64
_LONGEST: Final = 256


class ConditionError(ValueError):
    """A condition that cannot be used, with the place in it that is to blame."""

    def __init__(
        self, message: str, line: int = 1, column: int = 1, suggestion: str | None = None
    ) -> None:
        hint = "" if suggestion is None else f"; did you mean `{suggestion}`?"
        super().__init__(f"{line}:{column}: {message}{hint}")
        self.message = f"{message}{hint}"
        self.line = line
        self.column = column
        self.suggestion = suggestion


_YES: Final = Verdict(is_true=True)


@dataclass(frozen=True, slots=True)
class CelCondition:
    """A checked expression; see `rapport_personalization.domain.trigger.Condition`."""

    source: str
    names: frozenset[str]
    expression: cel.Expression
    verdicts: dict[object, Verdict] = field(default_factory=dict, compare=False, repr=False)
    """It is asked about the same numbers and words again and again."""

    def holds(self, values: Mapping[str, object]) -> Verdict:
        """True only for a plain yes. What it asked for and nobody knows is told beside a no."""
        known = values
        if not values.keys() <= self.names:
            known = {name: values[name] for name in self.names if name in values}
        types = tuple(map(type, known.values()))
        if not _REPEATED.issuperset(types):
            return self._asked(known)
        # To Python 1 and true are the same, to the engine they are not.
        case = (tuple(known.items()), types)
        verdict = self.verdicts.get(case)
        if verdict is None:
            verdict = self._asked(known)
            self._remember(case, verdict)
        return verdict

    def _remember(self, case: tuple[tuple[tuple[str, object], ...], object], said: Verdict) -> None:
        if any(isinstance(value, str) and len(value) > _MOST_LETTERS for _, value in case[0]):
            return
        if len(self.verdicts) >= _MOST_VERDICTS:
            self.verdicts.clear()
        self.verdicts[case] = said

    def _asked(self, known: Mapping[str, object]) -> Verdict:
        try:
            value = self.expression.eval(data=known)
        except RuntimeError as error:
            return Verdict(is_true=False, missing=self._missing(known), error=_plain(error))
        if value.type() == cel.Type.BOOL:
            if value.value() is True:
                return _YES
            return Verdict(is_true=False, missing=self._missing(known))
        missing = self._missing(known)
        reason = None if missing else str(value.value())[:_LONGEST]
        return Verdict(is_true=False, missing=missing, error=reason)

    def _missing(self, known: Mapping[str, object]) -> tuple[str, ...]:
        return tuple(sorted(self.names - known.keys()))


def compile_condition(source: str, schema: Mapping[str, Type]) -> Condition:
    """Over the fields of `schema`. Raises ConditionError."""
    if len(source) > MAX_LENGTH:
        raise ConditionError(f"is longer than {MAX_LENGTH} characters")
    bare = _TEXT.sub(lambda text: " " * len(text[0]), source)
    try:
        expression = _environment(frozenset(schema.items())).compile(source)
    except RuntimeError as error:
        raise _located(str(error), source, schema) from None
    if expression.return_type() != cel.Type.BOOL:
        kind = expression.return_type().name().lower()
        raise ConditionError(f"must say true or false, and says {kind}")
    _check_elements(bare, schema)
    condition = CelCondition(source, frozenset(_named(bare, schema)), expression)
    _try(condition)
    return condition


@lru_cache(maxsize=256)
def _environment(schema: frozenset[tuple[str, Type]]) -> cel.Env:
    # A dotted name is one variable: only what a condition refers to has to be handed over.
    return cel.NewEnv(variables={name: _TYPES[type_] for name, type_ in schema})


def _try(condition: CelCondition) -> None:
    """Too deep, or a loop over nothing that is known: seen without any customer."""
    error = condition.holds({}).error
    if error is not None and not condition.names:
        raise ConditionError(error)


def _located(text: str, source: str, schema: Mapping[str, Type]) -> ConditionError:
    found = _PLACE.search(text)
    if found is None or int(found[1]) < 1:
        return ConditionError(_plain(text))
    line, column, message = int(found[1]), int(found[2]), found[3]
    unknown = _UNDECLARED.search(message)
    if unknown is None:
        return ConditionError(_first_sentence(message), line, column)
    name = unknown[1]
    column = _start(source, line, column, name)
    return ConditionError(f"there is no `{name}`", line, column, nearest_field(name, schema))


def _start(source: str, line: int, column: int, name: str) -> int:
    """Where the name begins: the engine points at its last dot."""
    text = source.split("\n")[line - 1]
    at = text.rfind(name, 0, column + len(name))
    return column if at < 0 else at + 1


def nearest_field(name: str, known: Iterable[str]) -> str | None:
    """The name that was meant; None: whatever that was."""
    candidates = list(known)
    found = get_close_matches(name, candidates, 1, _CLOSE)
    if not found and "." not in name:
        # `segment` where `customer.segment` was meant.
        found = [one for one in candidates if one.endswith(f".{name}")][:1]
    return found[0] if found else None


def _named(bare: str, schema: Mapping[str, Type]) -> set[str]:
    """The fields that the expression reads: of each path the longest part that is one."""
    found = set()
    for path in _PATH.finditer(bare):
        parts = path[0].split(".")
        for length in range(len(parts), 0, -1):
            name = ".".join(parts[:length])
            if name in schema:
                found.add(name)
                break
    return found


def _check_elements(bare: str, schema: Mapping[str, Type]) -> None:
    """The engine knows no fields of objects in a list: `o.plcaed_at` would never be true."""
    roots = {name.split(".")[0] for name in schema}
    for path in _PATH.finditer(bare):
        root, _, field = path[0].partition(".")
        if not field or root in roots or _CALL.match(bare, path.end()):
            continue
        if field not in MAP_FIELDS:
            line = bare.count("\n", 0, path.start()) + 1
            column = path.start() - bare.rfind("\n", 0, path.start())
            near = nearest_field(field, MAP_FIELDS)
            hint = None if near is None else f"{root}.{near}"
            raise ConditionError(f"there is no `{path[0]}`", line, column, hint)


def _first_sentence(message: str) -> str:
    return message.removeprefix("Syntax error: ").split(", expecting")[0].split(" expecting {")[0]


def _plain(error: object) -> str:
    text = str(error)
    if "Iteration budget" in text:
        return "loops for too long"
    if "recursion" in text:
        return "is nested too deeply"
    return text.split("\n")[0]
