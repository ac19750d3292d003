"""Whether a draft can become an event, and which part of it is personal. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from rapport_events.catalogue import class_of
from rapport_events.codec import Problem, check
from rapport_events.event import ingest_fields, pii_fields
from rapport_events.identity import CustomerAliased, CustomerMerged

from rapport_ingest.blocked import NOTHING_BLOCKED, Blocklist
from rapport_ingest.draft import Draft, Rejection, identify
from rapport_ingest.pipeline.permission import Permission

MAX_ID: Final = 128
MAX_SOURCE: Final = 256

_TWO_SIDED: Final = frozenset({CustomerAliased.type, CustomerMerged.type})


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft that will be accepted unless its person was erased."""

    draft: Draft
    person: Mapping[str, str]
    """Identifiers as the keyring knows them."""
    other: Mapping[str, str]
    """The same of the person's other self, of an alias or a merge."""
    clear: dict[str, Any]
    personal: dict[str, Any]
    left_out: tuple[Problem, ...] = ()
    """Identifiers that name nobody, and why; never their values."""

    @property
    def named(self) -> tuple[Mapping[str, str], ...]:
        """Whom the keyring must find: one person, or the two sides of an alias or merge."""
        return (self.person, self.other) if self.other else (self.person,)


def check_draft(
    draft: Draft, permission: Permission, blocked: Blocklist = NOTHING_BLOCKED
) -> Checked | Rejection:
    """The draft split into what is clear and what is personal, or the first thing against it."""
    problem = _envelope_problem(draft, permission)
    if problem is not None:
        return rejection(draft, problem)
    data = draft.data
    problems = check(draft.type, data)
    if problems:
        data = _numbers_as_text(data, problems)
        problems = check(draft.type, data)
    if problems:
        return rejection(draft, problems[0], len(problems))
    identified = _identified(draft, data, blocked)
    if isinstance(identified, Checked) and not identified.person and permission.needs(draft.type):
        return rejection(draft, _NOBODYS)
    return identified


def _identified(draft: Draft, data: dict[str, Any], blocked: Blocklist) -> Checked | Rejection:
    person, problems = identify(draft.identifiers, blocked) if draft.identifiers else ({}, ())
    other, more = identify(draft.other, blocked) if draft.other else ({}, ())
    if draft.strict:
        bad = next((found for found in (*problems, *more) if found.code == "bad_identifier"), None)
        if bad is not None:
            return rejection(draft, Problem(f"/data{bad.pointer}", bad.code, bad.detail))
    if draft.type in _TWO_SIDED and not (person and other):
        return rejection(draft, _LACKS_A_SIDE)
    clear, personal = split(draft.type, data)
    return Checked(draft, person, other, clear, personal, (*problems, *more))


def split(type_: str, data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The clear fields and the personal ones; nulls are what was left out."""
    personal_names = _personal_fields(type_)
    clear: dict[str, Any] = {}
    personal: dict[str, Any] = {}
    for name, value in data.items():
        if value is not None:
            (personal if name in personal_names else clear)[name] = value
    return clear, personal


@cache
def subject_field(type_: str) -> str | None:
    """The field in which ingest puts the subject of the other side; None for most types."""
    event = class_of(type_)
    return next(iter(ingest_fields(event)), None) if event and type_ in _TWO_SIDED else None


_LACKS_A_SIDE: Final = Problem(
    "/data/identifiers",
    "missing_identifiers",
    "an alias or a merge names two people: the one that stays, and the other one",
)


_NOBODYS: Final = Problem(
    "/data/identifiers",
    "missing_identifiers",
    "what an agent does is done for somebody: name the customer, or nobody would ever see it",
)


# Custom types share one class, so that this holds one entry for all of them.
def _personal_fields(type_: str) -> frozenset[str]:
    return _personal_of(class_of(type_))


@cache
def _personal_of(event: Any) -> frozenset[str]:  # noqa: ANN401 - an event class or None
    return frozenset() if event is None else pii_fields(event)


def _envelope_problem(draft: Draft, permission: Permission) -> Problem | None:
    refusal = permission.refusal_of(draft.type)
    if refusal is not None and class_of(draft.type) is not None:
        return Problem("/type", *refusal)
    if not 0 < len(draft.id) <= MAX_ID:
        return Problem("/id", "bad_id", f"an id has 1 to {MAX_ID} characters")
    if not 0 < len(draft.source) <= MAX_SOURCE:
        return Problem("/source", "bad_source", f"a source has 1 to {MAX_SOURCE} characters")
    if not (draft.id.isprintable() and draft.source.isprintable()):
        return Problem("/id", "bad_id", "an id and a source have printable characters only")
    return None


def _numbers_as_text(data: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The data with whole numbers as text where text was expected: shops number their orders.

    The same object when there was nothing to turn.
    """
    turned = data
    for problem in problems:
        name = problem.pointer.removeprefix("/data/")
        value = data.get(name)
        if problem.code == "wrong_type" and isinstance(value, int) and not isinstance(value, bool):
            turned = {**turned, name: str(value)}
    return turned


def rejection(draft: Draft, problem: Problem, count: int = 1) -> Rejection:
    """What the publisher is told of a draft that is refused."""
    more = f" (and {count - 1} more)" if count > 1 else ""
    return Rejection(
        index=draft.index,
        id=draft.id[:MAX_ID],
        code=problem.code,
        detail=f"{problem.detail}{more}",
        pointer=problem.pointer,
        raw=draft.raw,
    )
