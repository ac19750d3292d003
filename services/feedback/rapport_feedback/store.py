"""What decides who is asked, to rows and back, a batch at a time."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg
import orjson
from rapport_runtime.database import driver, listed
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback.domain.cases import Ticket, pack_ticket, unpack_ticket
from rapport_feedback.domain.eligible import Candidate
from rapport_feedback.domain.respondent import Respondent, pack, unpack

_RESPONDENT: Final = ("subject_id", "state")
_TICKET: Final = ("ticket", "subject_id", "is_open", "state")

_LOCK_RESPONDENTS: Final = """
SELECT subject_id::text, state FROM respondent
WHERE subject_id = ANY(string_to_array($1, ',')::uuid[])
ORDER BY subject_id FOR UPDATE
"""

_SET_RESPONDENTS: Final = """
UPDATE respondent SET state = new.state
FROM unnest($1::text[]::uuid[], $2::bytea[]) AS new (id, state) WHERE subject_id = new.id
"""

_PURGE: Final = """
DELETE FROM respondent USING person_subject AS person
WHERE respondent.subject_id = ANY(string_to_array($1, ',')::uuid[])
    AND person.subject_id = respondent.subject_id AND person.erased_at IS NOT NULL
"""

_HURRY: Final = """
UPDATE invitation SET send_at = least(send_at, now()) WHERE survey IN (
    SELECT survey FROM invitation
    WHERE subject_id = ANY($1::text[]::uuid[]) AND state = 'waiting'
    FOR UPDATE SKIP LOCKED
)
"""
"""Whoever holds one of them is deciding it, and will hear of the erasure from the person's row."""

_LOCK_TICKETS: Final = """
SELECT ticket, state FROM ticket WHERE ticket = ANY($1::text[]) ORDER BY ticket FOR UPDATE
"""

_SET_TICKETS: Final = """
UPDATE ticket SET subject_id = new.subject, is_open = new.is_open, state = new.state
FROM unnest($1::text[], $2::text[]::uuid[], $3::bool[], $4::bytea[])
    AS new (id, subject, is_open, state) WHERE ticket = new.id
"""

_CANDIDATE: Final = (
    "survey", "definition", "version", "kind", "about", "rule", "anchor", "subject_id", "cause",
    "happened_at", "due_at", "send_at", "state", "refs",
)  # fmt: skip

_STAGE: Final = """
CREATE TEMP TABLE IF NOT EXISTS new_candidate
    (LIKE invitation INCLUDING DEFAULTS) ON COMMIT DELETE ROWS
"""

_ADD_CANDIDATES: Final = f"""
INSERT INTO invitation ({", ".join(_CANDIDATE)})
SELECT {", ".join(_CANDIDATE)} FROM new_candidate ORDER BY survey
ON CONFLICT (survey) DO UPDATE SET anchor = EXCLUDED.anchor, cause = EXCLUDED.cause,
    happened_at = EXCLUDED.happened_at, due_at = EXCLUDED.due_at, refs = EXCLUDED.refs
WHERE invitation.anchor = ''
RETURNING survey
"""  # noqa: S608 - our own columns
"""An outcome that was read from the log before its reason gets the reason added."""

_UNSTAGE: Final = "DELETE FROM new_candidate"

Scheduled = tuple[Candidate, datetime]
"""Somebody to ask, and when, outside of their quiet hours."""


async def load_respondents(tx: AsyncConnection, subjects: Collection[str]) -> dict[str, Respondent]:
    """Those that there are, locked until the commit in the order of their ids."""
    rows = await (await driver(tx)).fetch(_LOCK_RESPONDENTS, listed(subjects))
    return {subject: unpack(state) for subject, state in rows}


async def save_respondents(
    tx: AsyncConnection, states: Mapping[str, Respondent], known: Mapping[str, bytes]
) -> None:
    """`known`: as they were packed when they were read; who is not among them is new."""
    connection = await driver(tx)
    packed = {subject: pack(state) for subject, state in sorted(states.items())}
    new = {subject: state for subject, state in packed.items() if subject not in known}
    old = {
        subject: state
        for subject, state in packed.items()
        if subject in known and known[subject] != state
    }
    if new:
        await _add(connection, "respondent", _RESPONDENT, list(new.items()))
        # What was on its way when they were erased says nothing any more.
        await purge(tx, new)
    if old:
        await connection.execute(_SET_RESPONDENTS, list(old), list(old.values()))


async def purge(tx: AsyncConnection, subjects: Collection[str]) -> None:
    """Forgets those of the subjects who were erased."""
    await (await driver(tx)).execute(_PURGE, listed(subjects))


async def hurry(tx: AsyncConnection, erased: Collection[str]) -> None:
    """What waits for the erased is settled at once, not when it would have been due."""
    await (await driver(tx)).execute(_HURRY, list(erased))


async def load_tickets(tx: AsyncConnection, tickets: Collection[str]) -> dict[str, Ticket]:
    """Those that there are, locked until the commit in the order of their ids."""
    rows = await (await driver(tx)).fetch(_LOCK_TICKETS, sorted(tickets))
    return {ticket: unpack_ticket(state) for ticket, state in rows}


async def save_tickets(
    tx: AsyncConnection, tickets: Mapping[str, Ticket], known: Collection[str]
) -> None:
    connection = await driver(tx)
    new = {name: ticket for name, ticket in sorted(tickets.items()) if name not in known}
    old = {name: ticket for name, ticket in sorted(tickets.items()) if name in known}
    if new:
        await _add(connection, "ticket", _TICKET, _ticket_rows(new))
    if old:
        columns = zip(*_ticket_rows(old), strict=True)
        await connection.execute(_SET_TICKETS, *map(list, columns))


async def add_candidates(tx: AsyncConnection, scheduled: Iterable[Scheduled]) -> set[str]:
    """Who was not eligible for the same before; their surveys."""
    first: dict[str, Scheduled] = {}
    for one in scheduled:
        first.setdefault(one[0].survey, one)
    if not first:
        return set()
    connection = await driver(tx)
    await connection.execute(_STAGE)
    rows = [_candidate_row(candidate, at) for candidate, at in first.values()]
    await connection.copy_records_to_table("new_candidate", records=rows, columns=_CANDIDATE)
    added = await connection.fetch(_ADD_CANDIDATES)
    await connection.execute(_UNSTAGE)
    return {row[0] for row in added}


def _candidate_row(one: Candidate, send_at: datetime) -> tuple[object, ...]:
    return (
        one.survey, one.definition, one.version, one.kind, one.about, one.rule, one.anchor,
        one.subject, one.cause, one.happened_at, one.due_at, send_at, "waiting",
        orjson.dumps(one.refs).decode(),
    )  # fmt: skip


def _ticket_rows(tickets: Mapping[str, Ticket]) -> list[tuple[object, ...]]:
    return [
        (name, ticket.word("subject"), ticket.is_open, pack_ticket(ticket))
        for name, ticket in tickets.items()
    ]


async def _add(
    connection: "asyncpg.Connection[Any]",
    table: str,
    columns: Sequence[str],
    rows: Sequence[tuple[object, ...]],
) -> None:
    """What another worker has just made is read, and joined, when the batch is tried again.

    Raises SerializationError, which the loop waits for.
    """
    try:
        await connection.copy_records_to_table(table, records=rows, columns=columns)
    except asyncpg.UniqueViolationError as error:
        raise asyncpg.SerializationError("another worker has just made one of these") from error
