"""All that is wrong with the document of a trigger, each with its line and column."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from rapport_events import wire

from rapport_personalization import marked
from rapport_personalization.marked import Loc, Marked, MarkedError
from rapport_personalization.schemas.trigger import (
    DelayPart,
    GoalPart,
    OfferPart,
    OnPart,
    TriggerDocument,
)


class Problem(NamedTuple):
    """One thing that is wrong with a document."""

    path: str
    line: int
    column: int
    message: str
    suggestion: str | None = None

    def __str__(self) -> str:
        hint = "" if self.suggestion is None else f"; did you mean `{self.suggestion}`?"
        name = f"{self.path}: " if self.path else ""
        return f"{self.line}:{self.column}: {name}{self.message}{hint}"


class InvalidTriggerError(ValueError):
    """A document that is no trigger, with everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda one: (one.line, one.column))
        super().__init__("\n".join(map(str, self.problems)))


def read_parts(text: str) -> tuple[TriggerDocument, Marked]:
    try:
        source = marked.read(text)
    except MarkedError as error:
        raise InvalidTriggerError([Problem("", *error.place, error.message)]) from None
    try:
        return TriggerDocument.model_validate(source.value), source
    except ValidationError as error:
        raise InvalidTriggerError(
            {_problem(one, source) for one in error.errors(include_url=False) if _is_meant(one)}
        ) from None


def _problem(error: ErrorDetails, source: Marked) -> Problem:
    loc = tuple(part for part in error["loc"] if not _is_of_a_union(part))
    message, hint = error["msg"], None
    place = source.place(loc)
    match error["type"]:
        case "extra_forbidden":
            place = source.keys.get(loc, place)
            message, hint = "is not known here", nearest(str(loc[-1]), _known_fields(loc[:-1]))
        case "model_type":
            message = "must be an object"
        case "missing":
            place, message = source.place(loc[:-1]), "is missing"
        case "unknown_event":
            named = [type_.removesuffix(".v1") for type_ in wire.BY_TYPE]
            hint = nearest(str(error["input"]), named)
        case "literal_error":
            hint = nearest(
                str(error["input"]), str(error.get("ctx", {}).get("expected", "")).split("'")
            )
        case _:
            pass
    return Problem(path_of(loc), *place, message, hint)


def _is_meant(error: ErrorDetails) -> bool:
    """Of a delay that is a text it need not be said that it is no object."""
    return not (error["type"] == "model_type" and error["loc"][-1:] == ("DelayPart",))


def _is_of_a_union(part: str | int) -> bool:
    """Pydantic names the member of a union that it tried: no part of the document's path."""
    return isinstance(part, str) and (
        part in ("DelayPart", "str") or part.startswith(("function-", "literal["))
    )


def _known_fields(loc: Loc) -> list[str]:
    parts: dict[str, type[BaseModel]] = {
        "on": OnPart,
        "delay": DelayPart,
        "offer": OfferPart,
        "goal": GoalPart,
    }
    model = TriggerDocument if not loc else parts.get(str(loc[0]))
    if model is None or len(loc) > 1:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def nearest(name: str, known: Iterable[str]) -> str | None:
    found = get_close_matches(name, [one for one in known if one.strip(" ,or")], 1)
    return found[0] if found else None


def path_of(loc: Loc) -> str:
    return ".".join(map(str, loc))
