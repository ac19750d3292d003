"""Suggestions to rows and back, and as the facts that leave."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

from rapport_events.topics import ENGAGEMENT
from rapport_runtime.database import driver
from rapport_runtime.pool import Reads
from rapport_runtime.subscription import Derived
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization.domain.decision import Fact
from rapport_personalization.domain.moment import Mark
from rapport_personalization.domain.suggestions import Answers, Suggestion
from rapport_personalization.effects import SOURCE

_COLUMNS: Final = """
    suggestion, subject_id::text, rule, ref, round, state, made_at, settled_at, settled_by, reason
"""

_OF_SUBJECTS: Final = f"""
SELECT {_COLUMNS} FROM suggestion
WHERE subject_id = ANY($1::text[]::uuid[]) OR suggestion = ANY($2::text[])
"""  # noqa: S608 - ours

_PUT: Final = """
INSERT INTO suggestion (suggestion, subject_id, rule, ref, round, state, made_at, settled_at,
    settled_by, reason)
SELECT * FROM unnest($1::text[], $2::text[]::uuid[], $3::text[], $4::text[], $5::int[],
    $6::text[], $7::timestamptz[], $8::timestamptz[], $9::text[], $10::text[])
ON CONFLICT (suggestion) DO UPDATE SET subject_id = excluded.subject_id, round = excluded.round,
    state = excluded.state, made_at = excluded.made_at, settled_at = excluded.settled_at,
    settled_by = excluded.settled_by, reason = excluded.reason
"""

_COUNT: Final = """
INSERT INTO suggestion_count (rule, outcome, count)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) AS new (rule, outcome, count)
ORDER BY rule, outcome
ON CONFLICT (rule, outcome) DO UPDATE SET count = suggestion_count.count + excluded.count
"""

_LONGEST: Final = 256
_MOST_EVENTS: Final = 100


@dataclass(frozen=True, slots=True)
class Row:
    """A suggestion that was made, and what came of it last."""

    suggestion: str
    subject: str
    rule: str
    ref: str | None
    round: int
    state: str
    made_at: datetime
    settled_at: datetime | None = None
    settled_by: str | None = None
    reason: str | None = None


async def load_rows(
    reads: Reads, subjects: Collection[str], ids: Collection[str] = ()
) -> dict[str, Row]:
    rows = await reads.fetch(_OF_SUBJECTS, list(subjects), list(ids))
    return {row[0]: Row(*row) for row in rows}


async def put(tx: AsyncConnection, rows: Sequence[Row]) -> None:
    """As they stand now; each is counted by what became of it."""
    if not rows:
        return
    ordered = sorted(rows, key=lambda one: one.suggestion)
    columns = zip(*(_columns(one) for one in ordered), strict=True)
    connection = await driver(tx)
    await connection.execute(_PUT, *map(list, columns))
    counts = Counter((one.rule, "made" if one.state == "open" else one.state) for one in rows)
    found = [(rule, outcome, count) for (rule, outcome), count in sorted(counts.items())]
    await connection.execute(_COUNT, *map(list, zip(*found, strict=True)))


def answers(rows: Iterable[Row]) -> Answers:
    """What was said to suggestions that may not have come back through the log yet."""
    given = [(one, Mark(one.settled_at, b"")) for one in rows if one.settled_at is not None]
    return Answers(
        {one.suggestion: mark for one, mark in given if one.state == "accepted"},
        {one.suggestion: mark for one, mark in given if one.state == "dismissed"},
    )


def made(row: Row, one: Suggestion, at: datetime) -> Derived:
    occasion = one.occasion
    return _told(
        row,
        "suggestion.made.v1",
        at,
        {
            "priority": one.priority,
            "ref": row.ref,
            "due": occasion.due,
            "value": occasion.value,
            "currency": occasion.currency,
            "facts": [fact_document(fact) for fact in occasion.facts] or None,
        },
    )


def withdrawn(row: Row, at: datetime) -> Derived:
    return _told(row, "suggestion.withdrawn.v1", at, {"reason": row.reason})


def answered(row: Row, at: datetime) -> Derived:
    """By an agent: accepted, or dismissed for a reason."""
    data = {"agent": row.settled_by, "reason": row.reason}
    return _told(row, f"suggestion.{row.state}.v1", at, data, "agent")


def fact_document(fact: Fact) -> dict[str, Any]:
    events = [key.hex() for key in fact.events[:_MOST_EVENTS] if key]
    value = fact.value[:_LONGEST] if fact.value else None
    found = {"fact": fact.name, "value": value, "events": events or None}
    return {name: one for name, one in found.items() if one is not None}


def _told(row: Row, type_: str, at: datetime, data: dict[str, Any], by: str = "system") -> Derived:
    """Of each round of a suggestion one of each kind."""
    return Derived(
        cause=blake2b(f"{row.suggestion}|{row.round}".encode(), digest_size=16).digest(),
        rule=type_,
        topic=ENGAGEMENT.name,
        source=SOURCE,
        type=type_,
        time=at,
        data={"suggestion": row.suggestion, "trigger": row.rule, **data},
        subject=row.subject,
        attributes={"initiatedby": by},
    )


def _columns(row: Row) -> tuple[object, ...]:
    return (
        row.suggestion, row.subject, row.rule, row.ref, row.round, row.state, row.made_at,
        row.settled_at, row.settled_by, row.reason,
    )  # fmt: skip
