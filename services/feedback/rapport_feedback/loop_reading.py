"""Follow-ups, as they are read."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import asyncpg
import orjson
from rapport_events.feedback import LoopClosed
from rapport_privacy.keyring import Keyring
from rapport_runtime.pool import Reads

from rapport_feedback.loop_work import note_id
from rapport_feedback.schemas.loops import LoopsQuery, LoopView
from rapport_feedback.sealing import Personal, Sealed, open_all
from rapport_feedback.views import Mask

_SELECT: Final = """
SELECT loop, survey, task, subject_id::text AS customer, kind, about, score, definition, owner,
    state, opened_at, due_at, closed_at, outcome, informed, reminders, note::text AS note
FROM loop WHERE true
"""

_CLAUSES: Final[Mapping[str, str]] = {
    "state": "state = {0}::text",
    "owner": "owner = {0}::text",
    "about": "about = {0}::text",
    "kind": "kind = {0}::text",
}

_OVERDUE: Final = "(state = 'open' AND due_at < {1}::timestamptz) = {0}::boolean"

Place = tuple[datetime, str]


async def load_loops(
    reads: Reads, query: LoopsQuery, after: Place | None, now: datetime
) -> list[asyncpg.Record]:
    """One more than a page, those that are due first first."""
    clauses, values = list[str](), list[object]()
    for name, clause in _CLAUSES.items():
        wanted = getattr(query, name)
        if wanted is not None:
            values.append(wanted)
            clauses.append(clause.format(f"${len(values)}"))
    if query.overdue is not None:
        values += (query.overdue, now)
        clauses.append(_OVERDUE.format(f"${len(values) - 1}", f"${len(values)}"))
    if after is not None:
        values += after
        clauses.append(f"(due_at, loop) > (${len(values) - 1}, ${len(values)})")
    wheres = "".join(f" AND {clause}" for clause in clauses)
    values.append(query.limit + 1)
    rows: list[asyncpg.Record] = await reads.fetch(
        f"{_SELECT}{wheres} ORDER BY due_at, loop LIMIT ${len(values)}", *values
    )
    return rows


async def load_loop(reads: Reads, loop: str) -> asyncpg.Record | None:
    row: asyncpg.Record | None = await reads.fetchrow(f"{_SELECT} AND loop = $1", loop)
    return row


async def show_loops(
    keyring: Keyring, rows: Sequence[asyncpg.Record], mask: Mask, now: datetime
) -> list[LoopView]:
    """With their notes, for who may see them. Raises KeyringUnavailableError."""
    noted = [row for row in rows if row["note"] is not None] if mask.sees_personal else []
    opened = await open_all(
        keyring,
        [
            Sealed(
                orjson.loads(row["note"]), row["customer"], note_id(row["loop"]), LoopClosed.type
            )
            for row in noted
        ],
    )
    notes = dict(zip((row["loop"] for row in noted), opened, strict=True))
    return [_view(row, notes.get(row["loop"]), mask, now) for row in rows]


def _view(row: asyncpg.Record, note: Personal | None, mask: Mask, now: datetime) -> LoopView:
    known = {name: value for name, value in row.items() if name != "note"}
    return LoopView(
        **known,
        overdue=row["state"] == "open" and row["due_at"] < now,
        note=mask.part("note", note, is_there=row["note"] is not None),
    )
