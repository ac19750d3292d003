"""Invitations that are due, the people behind them, and what became of them: rows and back."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg
import orjson
from rapport_runtime.database import driver, listed
from rapport_runtime.people import Persons
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback.domain.asking import Case, Invited, Later, NotInvited, Outcome, Person, Sent
from rapport_feedback.domain.eligible import Candidate
from rapport_feedback.domain.respondent import Respondent, join, unpack

_FIELDS: Final = """
survey, definition, version, kind, about, rule, anchor, subject_id::text, cause, happened_at,
    due_at, refs::text, send_at
"""

_DUE: Final = f"""
SELECT {_FIELDS} FROM invitation WHERE state = 'waiting' AND send_at <= $1
ORDER BY send_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - our own columns

_DUE_OF_SHARE: Final = f"""
SELECT {_FIELDS} FROM invitation WHERE state = 'waiting' AND send_at <= $1
    AND abs(uuid_hash(subject_id)::bigint) % $3 = $4
ORDER BY send_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - our own columns

_THOSE: Final = f"""
SELECT {_FIELDS} FROM invitation WHERE survey = ANY($1::text[]) AND state = 'waiting'
ORDER BY survey FOR UPDATE
"""  # noqa: S608 - our own columns

_RESPONDENTS: Final = """
SELECT subject_id::text, state FROM respondent
WHERE subject_id = ANY(string_to_array($1, ',')::uuid[])
"""

_OPEN_CASES: Final = """
SELECT DISTINCT subject_id::text FROM ticket
WHERE subject_id = ANY(string_to_array($1, ',')::uuid[]) AND is_open
"""

_SENT: Final = """
SELECT subject_id::text, definition, decided_at FROM invitation
WHERE subject_id = ANY(string_to_array($1, ',')::uuid[]) AND decided_at > $2 AND state = 'sent'
"""

_REASONS: Final = """
SELECT subject_id::text, definition, rule, anchor FROM invitation
WHERE subject_id = ANY(string_to_array($1, ',')::uuid[]) AND anchor = ANY($2::text[])
    AND state = 'sent'
"""

_SETTLE: Final = """
UPDATE invitation SET state = $2, reason = $3, channel = $4, language = $5, expires_at = $6,
    decided_at = $7
WHERE survey = ANY(string_to_array($1, ','))
"""

_POSTPONE: Final = """
UPDATE invitation SET send_at = new.at
FROM unnest($1::text[], $2::timestamptz[]) AS new (survey, at)
WHERE invitation.survey = new.survey
"""


class Share(NamedTuple):
    """A part of all subjects: whoever else takes another part waits for nobody of this one."""

    number: int
    of: int


class Due(NamedTuple):
    """An invitation that nobody else decides meanwhile."""

    candidate: Candidate
    send_at: datetime


async def take_due(
    tx: AsyncConnection, now: datetime, limit: int, share: Share | None = None
) -> list[Due]:
    """The oldest that nobody else has taken, until the transaction ends."""
    connection = await driver(tx)
    if share is None:
        rows = await connection.fetch(_DUE, now, limit)
    else:
        rows = await connection.fetch(_DUE_OF_SHARE, now, limit, share.of, share.number)
    return [_due(row) for row in rows]


async def take_those(tx: AsyncConnection, surveys: Collection[str]) -> list[Due]:
    """Those of the surveys that are not decided yet."""
    return [_due(row) for row in await (await driver(tx)).fetch(_THOSE, list(surveys))]


async def load_people(
    tx: AsyncConnection, persons: Persons, anchors: Collection[str], since: datetime
) -> dict[str, Person]:
    """What is known of each, by the key of the person. `since`: when what was sent matters."""
    connection, everybody = await driver(tx), listed(persons.subjects)
    states = {
        subject: unpack(state) for subject, state in await connection.fetch(_RESPONDENTS, everybody)
    }
    people = {
        person.key: Person(_joined(states, person.members), person.erased) for person in persons
    }
    for (subject,) in await connection.fetch(_OPEN_CASES, everybody):
        people[persons.of(subject).key].has_open_case = True
    for subject, definition, at in await connection.fetch(_SENT, everybody, since):
        people[persons.of(subject).key].sent.append(Sent(definition, at))
    # One subject has one survey for each reason; only several could be asked the same.
    several = [member for person in persons if len(person.members) > 1 for member in person.members]
    if several:
        for subject, *reason in await connection.fetch(_REASONS, listed(several), list(anchors)):
            definition, rule, anchor = reason
            people[persons.of(subject).key].reasons.add((definition, rule, anchor))
    return people


async def settle(
    tx: AsyncConnection, decided: Iterable[tuple[Case, Outcome]], now: datetime
) -> None:
    """Write down what was decided, and until when others wait."""
    connection = await driver(tx)
    alike: dict[tuple[object, ...], list[str]] = {}
    later: list[tuple[str, datetime]] = []
    row: tuple[object, ...]
    for case, outcome in decided:
        survey = case.candidate.survey
        match outcome:
            case Invited():
                row = ("sent", None, outcome.channel, outcome.language, outcome.expires)
                alike.setdefault(row, []).append(survey)
            case NotInvited():
                row = ("not_invited", outcome.reason, None, None, None)
                alike.setdefault(row, []).append(survey)
            case Later():
                later.append((survey, outcome.until))
    # Few outcomes differ: a statement for each is less than a value for each row.
    for row, surveys in alike.items():
        await connection.execute(_SETTLE, listed(surveys), *row, now)
    if later:
        await connection.execute(_POSTPONE, *map(list, zip(*later, strict=True)))


def _joined(states: dict[str, Respondent], members: Sequence[str]) -> Respondent:
    known = [states[member] for member in members if member in states]
    return known[0] if len(known) == 1 else join(known)


def _due(row: asyncpg.Record) -> Due:
    survey, definition, version, kind, about, rule, anchor, subject, cause, *rest = row
    happened_at, due_at, refs, send_at = rest
    candidate = Candidate(
        survey=survey,
        definition=definition,
        version=version,
        kind=kind,
        about=about,
        rule=rule,
        anchor=anchor,
        subject=subject,
        cause=cause,
        happened_at=happened_at,
        due_at=due_at,
        refs=orjson.loads(refs),
    )
    return Due(candidate, send_at)
