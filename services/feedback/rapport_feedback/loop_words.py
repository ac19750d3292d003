"""What the log says of follow-ups: who took them, and what came of them.

Our own words come back to rows that know them already, unless the database was restored. Then a
word may even come before its follow-up: an answer of a publisher is on another topic.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from rapport_events import wire
from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from rapport_runtime.database import driver
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback.domain.source import SOURCE

_CLOSED: Final = "loop.closed.v1"
_ASSIGNED: Final = "task.assigned.v1"

_SAID: Final = """
FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::bool[])
    AS said(name, said_at, owner, outcome, informed)
"""

_GIVE: Final = "UPDATE loop SET owner = said.owner, touched_at = said.said_at"
_IS_NEWER: Final = """
loop.task = said.name AND (loop.touched_at IS NULL OR loop.touched_at < said.said_at)
"""

_END: Final = """
UPDATE loop SET state = 'closed', closed_at = said.said_at, outcome = said.outcome,
    informed = said.informed, remind_at = NULL
"""
_IS_OPEN: Final = "loop.loop = said.name AND loop.state = 'open'"

_ASSIGN: Final = f"{_GIVE} {_SAID} WHERE {_IS_NEWER}"
_CLOSE: Final = f"{_END} {_SAID} WHERE {_IS_OPEN}"

_MISSING: Final = """
SELECT name FROM unnest($1::text[]) AS name
WHERE NOT EXISTS (SELECT FROM loop WHERE loop.loop = name)
    AND NOT EXISTS (SELECT FROM loop WHERE loop.task = name)
"""

_LOCK: Final = """
SELECT pg_advisory_xact_lock(hashtext('rapport.loop_word'), slot)
FROM (SELECT DISTINCT abs(hashtext(name) % 64) AS slot FROM unnest($1::text[]) AS name
    ORDER BY slot) AS slots
"""
"""Somebody may open it at this moment: either they see the word, or we see the follow-up."""

_KEEP: Final = f"""
INSERT INTO loop_word (name, said_at, owner, outcome, informed)
SELECT name, said_at, owner, outcome, informed {_SAID}
ORDER BY name
ON CONFLICT (name) DO UPDATE SET said_at = EXCLUDED.said_at, owner = EXCLUDED.owner,
    outcome = EXCLUDED.outcome, informed = EXCLUDED.informed
WHERE loop_word.said_at < EXCLUDED.said_at
"""

_OPENED: Final = (
    "SELECT survey, loop, task FROM loop WHERE survey = ANY($1::text[]) AND state = 'open'"
)

_ASSIGN_KEPT: Final = f"{_GIVE} FROM loop_word said WHERE survey = ANY($1::text[]) AND {_IS_NEWER}"
_CLOSE_KEPT: Final = f"{_END} FROM loop_word said WHERE survey = ANY($1::text[]) AND {_IS_OPEN}"
_DROP_KEPT: Final = """
DELETE FROM loop_word USING loop
WHERE loop.survey = ANY($1::text[]) AND loop_word.name IN (loop.loop, loop.task)
"""


class _Word(NamedTuple):
    """With an owner: somebody has the task now. Without: the loop was closed."""

    name: str
    at: datetime
    owner: str | None
    outcome: str | None
    informed: bool | None
    is_ours: bool


async def take_loop_words(tx: AsyncConnection, records: Sequence[Record]) -> None:
    """Takes `loop.closed`, and the `task.assigned` of our own; skips all other records.

    Before the answers that came with them: who corrects a score after somebody took the follow-up
    does not close it. What we said of follow-ups that are not there is kept until they are.
    """
    told = [one for one in records if one.envelope.type in (_CLOSED, _ASSIGNED)]
    words = {one.name: one for record in told if (one := _word(record)) is not None}
    if not words:
        return
    await _say(tx, words.values())
    connection = await driver(tx)
    ours = [one.name for one in words.values() if one.is_ours]
    missing = {row[0] for row in await connection.fetch(_MISSING, ours)}
    if not missing:
        return
    await connection.execute(_LOCK, sorted(missing))
    await _say(tx, [words[name] for name in missing])
    unknown = {row[0] for row in await connection.fetch(_MISSING, sorted(missing))}
    await _run(tx, _KEEP, [words[name] for name in unknown])


async def catch_up(tx: AsyncConnection, surveys: Collection[str]) -> None:
    """To the follow-ups of answers that came from the log: what had been said of them before."""
    connection = await driver(tx)
    opened = await connection.fetch(_OPENED, list(surveys))
    if not opened:
        return
    await connection.execute(_LOCK, [name for _, *names in opened for name in names])
    for statement in (_ASSIGN_KEPT, _CLOSE_KEPT, _DROP_KEPT):
        await connection.execute(statement, [survey for survey, *_ in opened])


def _word(record: Record) -> _Word | None:
    data, envelope = decode_data(record.envelope), record.envelope
    is_ours = envelope.source == SOURCE
    if isinstance(data, wire.LoopClosed):
        return _Word(data.loop, envelope.time, None, data.outcome, data.informed, is_ours)
    if isinstance(data, wire.TaskAssigned) and is_ours and data.assignee is not None:
        return _Word(data.task, envelope.time, data.assignee, None, None, is_ours)
    return None


async def _say(tx: AsyncConnection, words: Iterable[_Word]) -> None:
    await _run(tx, _ASSIGN, [one for one in words if one.owner is not None])
    await _run(tx, _CLOSE, [one for one in words if one.owner is None])


async def _run(tx: AsyncConnection, statement: str, words: Sequence[_Word]) -> None:
    if words:
        *columns, _ = (list(column) for column in zip(*words, strict=True))
        await (await driver(tx)).execute(statement, *columns)
