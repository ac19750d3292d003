"""The table of answers: adding to it, and telling which revision counts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final, NamedTuple

import asyncpg
import orjson
from rapport_runtime.database import Tx, driver
from rapport_runtime.pool import Reads

from rapport_feedback.domain.answer import AnswerRow

_COLUMNS: Final[Mapping[str, str]] = {
    "survey": "text",
    "revision": "int",
    "event_key": "bytea",
    "event_id": "text",
    "definition": "text",
    "kind": "text",
    "about": "text",
    "subject_id": "uuid",
    "answered_at": "timestamptz",
    "recorded_at": "timestamptz",
    "is_current": "bool",
    "score": "bigint",
    "scores": "jsonb",
    "choices": "jsonb",
    "sealed": "jsonb",
    "has_comment": "bool",
    "channel": "text",
    "ticket": "text",
    "order": "text",
    "agent": "text",
    "team": "text",
    "language": "text",
}
_AS_TEXT: Final = frozenset({"uuid", "jsonb"})
"""Types that travel as text, whatever codecs a connection has."""

_NAMES: Final = ", ".join(f'"{name}"' for name in _COLUMNS)
_ROWS: Final = ", ".join(
    f"${number}::{'text' if type_ in _AS_TEXT else type_}[]"
    for number, type_ in enumerate(_COLUMNS.values(), 1)
)
_CAST: Final = ", ".join(
    f'given."{name}"::{type_}' if type_ in _AS_TEXT else f'given."{name}"'
    for name, type_ in _COLUMNS.items()
)
_GIVEN: Final = f"SELECT {_CAST} FROM unnest({_ROWS}) AS given ({_NAMES})"  # noqa: S608 - made of constants

_ADD_FIRST: Final = f"""
INSERT INTO answer ({_NAMES}) {_GIVEN}
WHERE NOT EXISTS (SELECT FROM answer WHERE answer.survey = given.survey)
ON CONFLICT DO NOTHING RETURNING survey
"""

_ADD_NEXT: Final = f"""
INSERT INTO answer ({_NAMES}) {_GIVEN}
WHERE given.revision = 1 + (SELECT max(revision) FROM answer WHERE answer.survey = given.survey)
ON CONFLICT DO NOTHING RETURNING survey
"""  # noqa: S608 - made of constants

_TAKE: Final = f"""
INSERT INTO answer ({_NAMES}) {_GIVEN}
WHERE NOT EXISTS (
    SELECT FROM person_subject
    WHERE person_subject.subject_id = given.subject_id::uuid AND erased_at IS NOT NULL
)
ORDER BY given.survey, given.revision
ON CONFLICT (survey, revision) DO UPDATE
SET {", ".join(f'"{name}" = EXCLUDED."{name}"' for name in _COLUMNS)}
WHERE (answer.answered_at, answer.recorded_at, answer.event_key)
    < (EXCLUDED.answered_at, EXCLUDED.recorded_at, EXCLUDED.event_key)
    AND answer.event_key <> EXCLUDED.event_key
RETURNING event_key
"""
"""Of two that say to be the same revision the newer one counts, in whatever order they come. One of
our own that comes back was recorded a moment before it was written to the log; it is no newer."""

_SETTLE: Final = """
UPDATE answer SET is_current = answer.revision = newest.revision
FROM (
    SELECT survey, max(revision) AS revision FROM answer
    WHERE survey = ANY($1::text[]) GROUP BY survey
) AS newest
WHERE answer.survey = newest.survey
    AND answer.is_current <> (answer.revision = newest.revision)
"""

_CURRENT: Final = """
SELECT event_key FROM answer WHERE survey = ANY($1::text[]) AND is_current
"""

_LOAD: Final = f"""
SELECT {
    ", ".join(
        f'"{name}"::text' if type_ in _AS_TEXT else f'"{name}"' for name, type_ in _COLUMNS.items()
    )
}
FROM answer WHERE survey = $1 ORDER BY revision
"""  # noqa: S608 - made of constants


class StoredAnswer(NamedTuple):
    """A row, with what is sealed of it."""

    row: AnswerRow
    sealed: Mapping[str, Any] | None = None
    language: str | None = None


async def add_first(tx: Tx, answers: Sequence[StoredAnswer]) -> set[str]:
    """The surveys that had not been answered; of any number at once, one is added."""
    return {row[0] for row in await _write(tx, _ADD_FIRST, answers)} if answers else set()


async def add_next(tx: Tx, answers: Sequence[StoredAnswer]) -> set[str]:
    """The surveys of which these are still the revisions after the newest."""
    added = {row[0] for row in await _write(tx, _ADD_NEXT, answers)}
    if added:
        await _settle(tx, added)
    return added


async def take(tx: Tx, answers: Sequence[StoredAnswer]) -> set[bytes]:
    """Adds what others recorded; the event keys of what is new and counts now."""
    surveys = {one.row.survey for one in answers}
    new = {row[0] for row in await _write(tx, _TAKE, answers)}
    if not new:
        return set()
    await _settle(tx, surveys)
    current = await (await driver(tx)).fetch(_CURRENT, sorted(surveys))
    return new & {row[0] for row in current}


async def load_revisions(reads: Reads, survey: str) -> list[StoredAnswer]:
    """All there are of a survey's answer, the first one first."""
    return [_read(row) for row in await reads.fetch(_LOAD, survey)]


async def _write(tx: Tx, statement: str, answers: Sequence[StoredAnswer]) -> "list[asyncpg.Record]":
    rows = [_values(one) for one in answers]
    columns = [list(column) for column in zip(*rows, strict=True)]
    written: list[asyncpg.Record] = await (await driver(tx)).fetch(statement, *columns)
    return written


async def _settle(tx: Tx, surveys: Collection[str]) -> None:
    await (await driver(tx)).execute(_SETTLE, sorted(surveys))


_FIELDS: Final = tuple(field.name for field in fields(AnswerRow))


def _values(answer: StoredAnswer) -> tuple[object, ...]:
    told: dict[str, object] = {name: getattr(answer.row, name) for name in _FIELDS}
    told |= {
        "scores": _json(answer.row.scores),
        "choices": _json(answer.row.choices),
        "sealed": None if answer.sealed is None else _json(answer.sealed),
        "language": answer.language,
    }
    return tuple(told[name] for name in _COLUMNS)


def _read(row: asyncpg.Record) -> StoredAnswer:
    told = dict(row)
    sealed, language = told.pop("sealed"), told.pop("language")
    told |= {"scores": orjson.loads(told["scores"]), "choices": orjson.loads(told["choices"])}
    return StoredAnswer(
        AnswerRow(**told), None if sealed is None else orjson.loads(sealed), language
    )


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
