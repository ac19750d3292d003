"""Answers, as they are read: one statement for a page, one question to the keyring."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg
import orjson
from rapport_events.feedback import SurveyResponded
from rapport_privacy.keyring import Keyring
from rapport_runtime.pool import Reads

from rapport_feedback.schemas.feedback import FeedbackFilters, LoopState
from rapport_feedback.sealing import Personal, Sealed, open_all

_SELECT: Final = """
SELECT a.survey, a.revision, a.event_key, a.event_id, a.definition, a.kind, a.about AS asked_about,
    coalesce(c.about, a.about) AS about, a.subject_id::text AS customer, a.answered_at, a.score,
    a.scores::text AS scores, a.choices::text AS choices, a.sealed::text AS sealed, a.has_comment,
    a.channel, a.ticket, a."order", a.agent, a.team,
    coalesce(a.language, i.language) AS language,
    c.by, c.about AS said_about, c.topics, c.sentiment, c.agent AS said_agent, c.classified_at,
    c.definition AS said_definition,
    l.loop, l.state, l.owner, l.due_at, l.outcome, l.informed
FROM answer a
LEFT JOIN invitation i ON i.survey = a.survey
LEFT JOIN classification c ON c.survey = a.survey AND c.is_current
LEFT JOIN LATERAL (
    SELECT * FROM loop WHERE loop.survey = a.survey
    ORDER BY loop.state = 'open' DESC, loop.opened_at DESC, loop.loop LIMIT 1
) l ON true
WHERE a.is_current
"""

_ORDER: Final = " ORDER BY a.answered_at DESC, a.survey DESC"

_CLAUSES: Final[Mapping[str, str]] = {
    "about": "coalesce(c.about, a.about) = {0}::text",
    "kind": "a.kind = {0}::text",
    "definition": "(a.definition = {0}::text OR starts_with(a.definition, {0}::text || '@'))",
    "score_lt": "a.score < {0}::bigint",
    "score_gt": "a.score > {0}::bigint",
    "topic": "c.topics @> ARRAY[{0}::text]",
    "channel": "a.channel = {0}::text",
    "agent": "a.agent = {0}::text",
    "team": "a.team = {0}::text",
    "start": "a.answered_at >= {0}::timestamptz",
    "end": "a.answered_at < {0}::timestamptz",
    "has_comment": "a.has_comment = {0}::boolean",
}
"""The text of a statement is made of these alone; what is asked for goes beside it."""

_HAS_OPEN: Final = "a.survey IN (SELECT survey FROM loop WHERE state = 'open')"
_HAS_ANY: Final = "EXISTS (SELECT FROM loop known WHERE known.survey = a.survey)"

_LOOPS: Final[Mapping[LoopState, str]] = {
    "open": _HAS_OPEN,
    "closed": f"{_HAS_ANY} AND NOT {_HAS_OPEN}",
    "none": f"NOT {_HAS_ANY}",
}
"""Few are open, and an index knows them."""

Place = tuple[datetime, str]


class Filed:
    """An answer as it lies here, and what its person wrote, opened or not."""

    __slots__ = ("personal", "row")

    def __init__(self, row: asyncpg.Record, personal: Personal | None) -> None:
        self.row: Final = row
        self.personal: Final = personal
        """None: nothing was written, or the reader may not see it."""

    @property
    def place(self) -> Place:
        return self.row["answered_at"], self.row["survey"]

    def json(self, name: str) -> Any:  # noqa: ANN401 - any JSON value
        return orjson.loads(self.row[name])


async def load_answers(
    reads: Reads,
    filters: FeedbackFilters,
    customer: Sequence[str] | None,
    before: Place | None,
    limit: int,
) -> list[asyncpg.Record]:
    """Those before a place, the newest first. `customer`: the subjects of the person."""
    clauses, values = list[str](), list[object]()
    for name, clause in _CLAUSES.items():
        wanted = getattr(filters, name)
        if wanted is not None:
            values.append(wanted)
            clauses.append(clause.format(f"${len(values)}"))
    if filters.loop is not None:
        clauses.append(_LOOPS[filters.loop])
    if customer is not None:
        values.append(list(customer))
        clauses.append(f"a.subject_id = ANY(${len(values)}::text[]::uuid[])")
    if before is not None:
        values += before
        clauses.append(f"(a.answered_at, a.survey) < (${len(values) - 1}, ${len(values)})")
    wheres = "".join(f" AND {clause}" for clause in clauses)
    values.append(limit)
    rows: list[asyncpg.Record] = await reads.fetch(
        f"{_SELECT}{wheres}{_ORDER} LIMIT ${len(values)}", *values
    )
    return rows


async def load_answer(reads: Reads, survey: str) -> asyncpg.Record | None:
    row: asyncpg.Record | None = await reads.fetchrow(f"{_SELECT} AND a.survey = $1", survey)
    return row


async def open_answers(
    keyring: Keyring, rows: Sequence[asyncpg.Record], *, sees_personal: bool
) -> list[Filed]:
    """Opens what was written for who may see it. Raises KeyringUnavailableError."""
    if not sees_personal:
        return [Filed(row, None) for row in rows]
    written = [row for row in rows if row["sealed"] is not None]
    opened = await open_all(
        keyring,
        [
            Sealed(
                orjson.loads(row["sealed"]), row["customer"], row["event_id"], SurveyResponded.type
            )
            for row in written
        ],
    )
    personal = dict(zip((row["survey"] for row in written), opened, strict=True))
    return [Filed(row, personal.get(row["survey"])) for row in rows]
