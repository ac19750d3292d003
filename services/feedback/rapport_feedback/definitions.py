"""Survey definitions in the database: drafts, what is live, and what was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import orjson
from rapport_runtime.database import driver
from rapport_runtime.http.problems import ApiError
from rapport_runtime.pool import Reads
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback.domain.definition import Definition
from rapport_feedback.domain.eligible import Version, Watch

DRAFT: Final = "draft"
LIVE: Final = "live"
RETIRED: Final = "retired"

LATE: Final = timedelta(days=7)
"""For so long after a version was retired, events that it was live for may still come in."""

_COLUMNS: Final = """
id, version, state, document::text, created_at, created_by, live_at, retired_at
"""

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('rapport.survey'), hashtext($1))"

_LATEST: Final = f"""
SELECT {_COLUMNS} FROM survey_definition WHERE id = $1 ORDER BY version DESC LIMIT 1
"""  # noqa: S608 - our own columns

_ONE: Final = f"""
SELECT {_COLUMNS} FROM survey_definition WHERE id = $1 AND version = $2
"""  # noqa: S608 - our own columns

_VERSIONS: Final = f"""
SELECT {_COLUMNS} FROM survey_definition WHERE id = $1 ORDER BY version DESC
"""  # noqa: S608 - our own columns

_HEADS: Final = f"""
SELECT DISTINCT ON (id) {_COLUMNS} FROM survey_definition
ORDER BY id, (state = 'live') DESC, version DESC
"""  # noqa: S608 - our own columns

_WATCHED: Final = """
SELECT id, version, document::text, live_at, retired_at FROM survey_definition
WHERE state = 'live' OR retired_at > $1 ORDER BY id, version
"""

_THOSE: Final = """
SELECT id, version, document::text FROM survey_definition
WHERE (id, version) IN (SELECT * FROM unnest($1::text[], $2::int[]))
    OR (id = ANY($1::text[]) AND state = 'live')
"""

_LIVE: Final = """
SELECT id, version, live_at FROM survey_definition WHERE id = ANY($1::text[]) AND state = 'live'
"""

_ADD: Final = f"""
INSERT INTO survey_definition (id, version, state, document, created_by)
VALUES ($1, $2, 'draft', $3::text::json, $4) RETURNING {_COLUMNS}
"""  # noqa: S608 - our own columns

_REPLACE_DRAFT: Final = f"""
UPDATE survey_definition SET document = $3::text::json, created_by = $4, created_at = now()
WHERE id = $1 AND version = $2 AND state = 'draft' RETURNING {_COLUMNS}
"""  # noqa: S608 - our own columns

_RETIRE: Final = """
UPDATE survey_definition SET state = 'retired', retired_at = $2 WHERE id = $1 AND state = 'live'
"""

_GO_LIVE: Final = f"""
UPDATE survey_definition SET state = 'live', live_at = $3 WHERE id = $1 AND version = $2
RETURNING {_COLUMNS}
"""  # noqa: S608 - our own columns


@dataclass(frozen=True, slots=True)
class Stored:
    """A version of a definition as it is kept."""

    id: str
    version: int
    state: str
    document: str
    created_at: datetime
    created_by: str
    live_at: datetime | None
    retired_at: datetime | None

    @property
    def definition(self) -> Definition:
        return read(self.document)


class SurveyNotFoundError(ApiError):
    """There is no survey, or no version of it, of this name."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__("there is no survey of this id and version; GET /v1/surveys lists them")


class WrongStateError(ApiError):
    """A version cannot go from the state it is in to the one that was asked for."""

    status_code = 409
    code = "survey_state"

    def __init__(self, state: str, wanted: str) -> None:
        super().__init__(
            f"this version is {state}, so it cannot become {wanted}: a draft goes live, what is "
            "live retires, and what has retired is made a new version",
            members={"state": state},
        )


@lru_cache(maxsize=512)
def read(document: str) -> Definition:
    """A document that was checked when it was stored."""
    return Definition.model_validate_json(document)


def written(definition: Definition) -> str:
    """The document to store."""
    return orjson.dumps(definition.model_dump(mode="json", exclude_none=True)).decode()


async def save_draft(tx: AsyncConnection, definition: Definition, by: str) -> tuple[Stored, bool]:
    """The newest version, if it says the same; else the draft, changed; else a new version.

    The second result: whether anything changed.
    """
    latest = await load_latest(tx, definition.id)
    connection = await driver(tx)
    document = written(definition)
    if latest is not None and latest.definition == definition and latest.state != RETIRED:
        return latest, False
    if latest is not None and latest.state == DRAFT:
        row = await connection.fetch(_REPLACE_DRAFT, definition.id, latest.version, document, by)
    else:
        version = 1 if latest is None else latest.version + 1
        row = await connection.fetch(_ADD, definition.id, version, document, by)
    return Stored(*row[0]), True


async def go_live(tx: AsyncConnection, id_: str, version: int, now: datetime) -> Stored:
    """The version that was live before retires. A version that is live already stays as it is.

    Raises SurveyNotFoundError, WrongStateError.
    """
    connection = await driver(tx)
    await connection.execute(_LOCK, id_)
    found = _first(await connection.fetch(_ONE, id_, version))
    if found is None:
        raise SurveyNotFoundError
    if found.state == LIVE:
        return found
    if found.state != DRAFT:
        raise WrongStateError(found.state, LIVE)
    await connection.execute(_RETIRE, id_, now)
    return Stored(*(await connection.fetch(_GO_LIVE, id_, version, now))[0])


async def retire(tx: AsyncConnection, id_: str, version: int, now: datetime) -> Stored:
    """Nobody becomes eligible any more, and who waits is not invited.

    Raises SurveyNotFoundError, WrongStateError.
    """
    connection = await driver(tx)
    await connection.execute(_LOCK, id_)
    found = _first(await connection.fetch(_ONE, id_, version))
    if found is None:
        raise SurveyNotFoundError
    if found.state == DRAFT:
        raise WrongStateError(found.state, RETIRED)
    if found.state == LIVE:
        await connection.execute(_RETIRE, id_, now)
    return Stored(*(await connection.fetch(_ONE, id_, version))[0])


async def load_latest(tx: AsyncConnection, id_: str) -> Stored | None:
    """The newest version, which nobody changes until the transaction ends."""
    connection = await driver(tx)
    await connection.execute(_LOCK, id_)
    return _first(await connection.fetch(_LATEST, id_))


async def load_heads(reads: Reads) -> list[Stored]:
    """Of each survey what is live, or else its newest version."""
    return [Stored(*row) for row in await reads.fetch(_HEADS)]


async def load_versions(reads: Reads, id_: str) -> list[Stored]:
    """The newest first. Raises SurveyNotFoundError."""
    rows = await reads.fetch(_VERSIONS, id_)
    if not rows:
        raise SurveyNotFoundError
    return [Stored(*row) for row in rows]


async def load_version(reads: Reads, id_: str, version: int) -> Stored:
    """Raises SurveyNotFoundError."""
    found = _first(await reads.fetch(_ONE, id_, version))
    if found is None:
        raise SurveyNotFoundError
    return found


async def load_watch(tx: AsyncConnection, now: datetime) -> Watch:
    """Whom events make eligible, as far as anything that was live lately says."""
    rows = await (await driver(tx)).fetch(_WATCHED, now - LATE)
    return _watch(tuple(tuple(row) for row in rows))


async def load_those(
    tx: AsyncConnection, wanted: Sequence[tuple[str, int]]
) -> tuple[Mapping[tuple[str, int], Definition], Mapping[str, Version]]:
    """The versions that were asked for, and what of these surveys is live now."""
    connection = await driver(tx)
    ids, versions = [id_ for id_, _ in wanted], [version for _, version in wanted]
    rows = await connection.fetch(_THOSE, ids, versions)
    known = {(id_, version): read(document) for id_, version, document in rows}
    live = {
        id_: Version(known[id_, version], version, live_at)
        for id_, version, live_at in await connection.fetch(_LIVE, ids)
        if (id_, version) in known
    }
    return known, live


@lru_cache(maxsize=4)
def _watch(rows: tuple[tuple[Any, ...], ...]) -> Watch:
    """Every batch asks for it, and it changes when a survey goes live or retires."""
    return Watch(
        [
            Version(read(document), version, live_at, retired_at)
            for _, version, document, live_at, retired_at in rows
        ]
    )


def _first(rows: Sequence[Any]) -> Stored | None:
    return Stored(*rows[0]) if rows else None
