"""What decides who is asked, to rows and back, a batch at a time."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import asyncpg
import orjson
from rapport_runtime.database import driver
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback.domain.eligible import Candidate
from rapport_feedback.domain.respondent import (
    Respondent,
    Ticket,
    pack,
    pack_ticket,
    unpack,
    unpack_ticket,
)

_LOCK_RESPONDENTS: Final = """
SELECT subject_id::text, state FROM respondent WHERE subject_id = ANY($1::text[]::uuid[])
ORDER BY subject_id FOR UPDATE
"""

_ADD_RESPONDENTS: Final = """
INSERT INTO respondent (subject_id, state)
SELECT id, state FROM unnest($1::text[]::uuid[], $2::bytea[]) AS new (id, state) ORDER BY id
ON CONFLICT DO NOTHING
"""

_SET_RESPONDENTS: Final = """
UPDATE respondent SET state = new.state
FROM unnest($1::text[]::uuid[], $2::bytea[]) AS new (id, state) WHERE subject_id = new.id
"""

_PURGE: Final = """
DELETE FROM respondent USING person_subject AS person
WHERE respondent.subject_id = ANY($1::text[]::uuid[])
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

_ADD_TICKETS: Final = """
INSERT INTO ticket (ticket, subject_id, is_open, state)
SELECT id, subject, is_open, state
FROM unnest($1::text[], $2::text[]::uuid[], $3::bool[], $4::bytea[])
    AS new (id, subject, is_open, state) ORDER BY id
ON CONFLICT DO NOTHING
"""

_SET_TICKETS: Final = """
UPDATE ticket SET subject_id = new.subject, is_open = new.is_open, state = new.state
FROM unnest($1::text[], $2::text[]::uuid[], $3::bool[], $4::bytea[])
    AS new (id, subject, is_open, state) WHERE ticket = new.id
"""

_ADD_CANDIDATES: Final = """
INSERT INTO invitation (survey, definition, version, kind, about, rule, anchor, subject_id, cause,
    happened_at, due_at, send_at, state, refs)
SELECT survey, definition, version, kind, about, rule, anchor, subject, cause,
    happened_at, due_at, send_at, 'waiting', refs
FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::text[]::uuid[], $9::bytea[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[],
    $13::text[]::jsonb[])
    AS new (survey, definition, version, kind, about, rule, anchor, subject, cause, happened_at,
        due_at, send_at, refs)
ORDER BY survey
ON CONFLICT (survey) DO UPDATE SET anchor = EXCLUDED.anchor, cause = EXCLUDED.cause,
    happened_at = EXCLUDED.happened_at, due_at = EXCLUDED.due_at, refs = EXCLUDED.refs
WHERE invitation.anchor = ''
RETURNING survey
"""
"""An outcome that was read from the log before its reason gets the reason added."""

Scheduled = tuple[Candidate, datetime]
"""Somebody to ask, and when, outside of their quiet hours."""


async def load_respondents(tx: AsyncConnection, subjects: Collection[str]) -> dict[str, Respondent]:
    """Those that there are, locked until the commit in the order of their ids."""
    rows = await (await driver(tx)).fetch(_LOCK_RESPONDENTS, sorted(subjects))
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
        added = await connection.execute(_ADD_RESPONDENTS, list(new), list(new.values()))
        _require_all(added, new)
        # What was on its way when they were erased says nothing any more.
        await purge(tx, new)
    if old:
        await connection.execute(_SET_RESPONDENTS, list(old), list(old.values()))


async def purge(tx: AsyncConnection, subjects: Collection[str]) -> None:
    """Forgets those of the subjects who were erased."""
    await (await driver(tx)).execute(_PURGE, list(subjects))


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
        _require_all(await connection.execute(_ADD_TICKETS, *_ticket_columns(new)), new)
    if old:
        await connection.execute(_SET_TICKETS, *_ticket_columns(old))


async def add_candidates(tx: AsyncConnection, scheduled: Iterable[Scheduled]) -> set[str]:
    """Who was not eligible for the same before; their surveys."""
    first: dict[str, Scheduled] = {}
    for one in scheduled:
        first.setdefault(one[0].survey, one)
    rows = list(first.values())
    if not rows:
        return set()
    columns = [
        [one.survey for one, _ in rows],
        [one.definition for one, _ in rows],
        [one.version for one, _ in rows],
        [one.kind for one, _ in rows],
        [one.about for one, _ in rows],
        [one.rule for one, _ in rows],
        [one.anchor for one, _ in rows],
        [one.subject for one, _ in rows],
        [one.cause for one, _ in rows],
        [one.happened_at for one, _ in rows],
        [one.due_at for one, _ in rows],
        [at for _, at in rows],
        [orjson.dumps(dict(one.refs)).decode() for one, _ in rows],
    ]
    added = await (await driver(tx)).fetch(_ADD_CANDIDATES, *columns)
    return {row[0] for row in added}


def _ticket_columns(tickets: Mapping[str, Ticket]) -> Sequence[Sequence[object]]:
    values = tickets.values()
    return (
        list(tickets),
        [ticket.word("subject") for ticket in values],
        [ticket.is_open for ticket in values],
        [pack_ticket(ticket) for ticket in values],
    )


def _require_all(status: str, rows: Collection[str]) -> None:
    """What another worker has just made is read, and joined, when the batch is tried again.

    Raises SerializationError, which the loop waits for.
    """
    if int(status.rpartition(" ")[2]) != len(rows):
        raise asyncpg.SerializationError("another worker has just made one of these rows")
