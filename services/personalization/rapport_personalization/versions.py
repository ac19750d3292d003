"""Versions of triggers in the database: drafts, what is in force, and what was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from rapport_runtime.database import driver
from rapport_runtime.http.problems import ApiError
from rapport_runtime.pool import Reads
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization import steps
from rapport_personalization.catalogue import LOCK
from rapport_personalization.schemas.trigger import TriggerDocument

State = Literal["draft", "shadow", "live", "paused", "retired"]
Step = Literal["shadow", "go-live", "pause", "retire"]

_TO: Final[Mapping[Step, State]] = {
    "shadow": "shadow",
    "go-live": "live",
    "pause": "paused",
    "retire": "retired",
}
_FROM: Final[Mapping[State, frozenset[State]]] = {
    "shadow": frozenset({"draft"}),
    "live": frozenset({"draft", "shadow", "paused"}),
    "paused": frozenset({"live", "shadow"}),
    "retired": frozenset({"draft", "shadow", "live", "paused"}),
    "draft": frozenset(),
}

_COLUMNS: Final = """
trigger, version, state, source, created_at, created_by, since, changed_at, changed_by, issued
"""

_HEADS: Final = f"""
SELECT DISTINCT ON (trigger) {_COLUMNS} FROM trigger_version
ORDER BY trigger, (state IN ('live', 'shadow')) DESC, (state = 'paused') DESC, version DESC
"""  # noqa: S608 - our own columns

_OF: Final = f"""
SELECT {_COLUMNS} FROM trigger_version WHERE trigger = $1 ORDER BY version DESC
"""  # noqa: S608 - our own columns

_ADD: Final = f"""
INSERT INTO trigger_version (trigger, version, state, document, source, created_by)
VALUES ($1, $2, 'draft', $3::text::json, $4, $5) RETURNING {_COLUMNS}
"""  # noqa: S608 - our own columns

_EDIT: Final = f"""
UPDATE trigger_version SET document = $3::text::json, source = $4, created_by = $5,
    created_at = now(), changed_at = now(), changed_by = $5
WHERE trigger = $1 AND version = $2 AND state = 'draft' RETURNING {_COLUMNS}
"""  # noqa: S608 - our own columns

_REPLACE: Final = """
UPDATE trigger_version SET state = 'retired', changed_at = now(), changed_by = $3
WHERE trigger = $1 AND version <> $2 AND state IN ('live', 'shadow', 'paused')
"""

_MOVE: Final = f"""
UPDATE trigger_version SET state = $3, changed_at = now(), changed_by = $4,
    since = CASE WHEN $3 IN ('live', 'shadow') THEN coalesce(since, $5, now()) ELSE since END
WHERE trigger = $1 AND version = $2 RETURNING {_COLUMNS}
"""  # noqa: S608 - our own columns

_NOBODY_WAITS: Final = """
DELETE FROM candidate WHERE trigger = $1 AND version <> ALL($2::text[])
"""

_END_SHADOWS: Final = """
WITH gone AS (
    DELETE FROM candidate WHERE trigger = $1 AND version <> $2 AND shadow RETURNING trigger
)
UPDATE calendar SET swept = NULL WHERE trigger IN (SELECT trigger FROM gone)
"""
"""Days of the calendar that a shadow has looked up are looked up again, to be acted on."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A version as it is kept."""

    trigger: str
    version: int
    state: State
    source: str
    created_at: datetime
    created_by: str
    since: datetime | None
    changed_at: datetime
    changed_by: str | None
    issued: int


class TriggerNotFoundError(ApiError):
    """There is no trigger, or no version of it, of this name."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__("there is no trigger of this id and version; GET /v1/triggers lists them")


class TriggerStateError(ApiError):
    """A version cannot go from the state it is in to the one that was asked for."""

    status_code = 409

    def __init__(self, state: State, wanted: State) -> None:
        super().__init__(
            f"this version is {state}, so it cannot become {wanted}: a draft goes into shadow or "
            "live, what is live pauses or retires, and what has retired is put anew",
            members={"state": state},
        )


class OtherVersionLiveError(ApiError):
    """Two versions would decide about the same people at once."""

    status_code = 409

    def __init__(self, version: int) -> None:
        super().__init__(
            f"version {version} is in force: one decision is taken an order, a cart or a day. "
            "Pause it first, or compare both in a back-test",
            members={"version": version},
        )


async def save_draft(
    tx: AsyncConnection, document: TriggerDocument, source: str, by: str
) -> tuple[Stored, bool]:
    """The newest version if it says the same, else the draft, changed, else a new version.

    The second result: whether anything changed.
    """
    known = await _locked(tx, document.id)
    connection = await driver(tx)
    text = document.model_dump_json(by_alias=True)
    if known and known[0].source == source and known[0].state != "retired":
        return known[0], False
    if known and known[0].state == "draft":
        row = await connection.fetch(_EDIT, document.id, known[0].version, text, source, by)
    else:
        version = known[0].version + 1 if known else 1
        row = await connection.fetch(_ADD, document.id, version, text, source, by)
    return Stored(*row[0]), True


async def move(tx: AsyncConnection, trigger: str, version: int, step: Step, by: str) -> Stored:
    """Raises TriggerNotFoundError, TriggerStateError, OtherVersionLiveError.

    Who waits for a decision of a version that another one replaces is decided on by the version
    that they began with. Who waits for one that retires waits no more, also where it has retired
    before; and when nothing is left that acts, neither does who began with an older version.
    Who waits for a shadow that another version replaces is left to the one that acts.
    """
    known = await _locked(tx, trigger)
    found = next((one for one in known if one.version == version), None)
    if found is None:
        raise TriggerNotFoundError
    wanted = _TO[step]
    connection = await driver(tx)
    if wanted == "retired":
        await connection.execute(_NOBODY_WAITS, trigger, _waited_for(known, version))
    if found.state == wanted:
        return found
    if found.state not in _FROM[wanted]:
        raise TriggerStateError(found.state, wanted)
    others = [one for one in known if one.state in {"live", "shadow"} and one.version != version]
    if wanted == "shadow" and others:
        raise OtherVersionLiveError(others[0].version)
    # Who edits a trigger does not mean to miss what has happened and is told later.
    since = min((one.since for one in others if one.since is not None), default=None)
    if wanted == "live":
        await connection.execute(_REPLACE, trigger, version, by)
        await connection.execute(_END_SHADOWS, trigger, str(version))
    row = await connection.fetch(_MOVE, trigger, version, wanted, by, since)
    await steps.note(tx, [trigger])
    return Stored(*row[0])


async def load_heads(reads: Reads) -> list[Stored]:
    """Of each trigger what is in force, or else its newest version."""
    return [Stored(*row) for row in await reads.fetch(_HEADS)]


async def load_versions(reads: Reads, trigger: str) -> list[Stored]:
    """The newest first. Raises TriggerNotFoundError."""
    found = _stored(await reads.fetch(_OF, trigger))
    if not found:
        raise TriggerNotFoundError
    return found


async def load_version(reads: Reads, trigger: str, version: int) -> Stored:
    """Raises TriggerNotFoundError."""
    for one in await load_versions(reads, trigger):
        if one.version == version:
            return one
    raise TriggerNotFoundError


async def _locked(tx: AsyncConnection, trigger: str) -> list[Stored]:
    """All versions, the newest first; nobody else changes any until the transaction ends."""
    connection = await driver(tx)
    await connection.execute(LOCK)
    return _stored(await connection.fetch(_OF, trigger))


def _waited_for(known: Sequence[Stored], retiring: int) -> list[str]:
    """Versions that people wait for when one retires.

    Those that were replaced go on as long as their trigger acts, or pauses; a shadow is no reason.
    """
    others = [one for one in known if one.version != retiring]
    goes_on = any(one.state in {"live", "paused"} for one in others)
    return [str(one.version) for one in others if goes_on or one.state == "shadow"]


def _stored(rows: list[Any]) -> list[Stored]:
    return [Stored(*row) for row in rows]
