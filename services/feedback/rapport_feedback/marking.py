"""Invitations as the log tells them: ours, after a restore, and those that publishers sent."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg
import orjson
from rapport_events import wire
from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from rapport_events.topics import FEEDBACK, INTERACTIONS
from rapport_runtime.database import driver
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback.domain.eligible import Candidate

SOURCE: Final = "/rapport/feedback"

SENT: Final = "survey.sent.v1"
NOT_INVITED: Final = "survey.not_invited.v1"

_SETTLED: Final = """
SELECT survey FROM invitation WHERE survey = ANY($1::text[]) AND state <> 'waiting'
"""

_MARK: Final = """
INSERT INTO invitation AS known (survey, definition, version, kind, about, rule, anchor,
    subject_id, cause, happened_at, due_at, send_at, state, reason, channel, refs, decided_at,
    expires_at)
SELECT survey, definition, version, kind, about, rule, anchor, subject, cause, at, at, at, state,
    reason, channel, refs, at, expires
FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::text[]::uuid[], $9::bytea[], $10::timestamptz[], $11::text[], $12::text[], $13::text[],
    $14::text[]::jsonb[], $15::timestamptz[])
    AS new (survey, definition, version, kind, about, rule, anchor, subject, cause, at, state,
        reason, channel, refs, expires)
ORDER BY survey
ON CONFLICT (survey) DO UPDATE SET state = EXCLUDED.state, reason = EXCLUDED.reason,
    channel = EXCLUDED.channel, decided_at = EXCLUDED.decided_at, expires_at = EXCLUDED.expires_at
WHERE known.state = 'waiting' AND known.subject_id = EXCLUDED.subject_id
RETURNING survey, anchor, cause, happened_at, due_at
"""

_VERSION: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_REFS: Final = ("ticket", "order", "agent", "team")
_THINGS: Final = ("ticket", "order")


class _Outcome(NamedTuple):
    survey: str
    definition: str
    version: int
    kind: str
    about: str | None
    rule: str | None
    anchor: str
    subject: str
    cause: bytes
    at: datetime
    state: str
    reason: str | None
    channel: str | None
    refs: str
    expires: datetime | None


class Marked(NamedTuple):
    """An invitation that was settled elsewhere, and why nobody was asked, if so."""

    candidate: Candidate
    reason: str | None


async def mark(tx: AsyncConnection, records: Sequence[Record]) -> list[Marked]:
    """Write down what was decided by others, or by us before the database was restored.

    What was not known here before.
    """
    outcomes = {one.survey: one for one in _outcomes(records)}
    if not outcomes:
        return []
    connection = await driver(tx)
    settled = {row[0] for row in await connection.fetch(_SETTLED, list(outcomes))}
    new = [one for one in outcomes.values() if one.survey not in settled]
    if not new:
        return []
    columns = [list(column) for column in zip(*new, strict=True)]
    return [_marked(outcomes[row[0]], row) for row in await connection.fetch(_MARK, *columns)]


def _marked(one: _Outcome, row: asyncpg.Record) -> Marked:
    """As it is in the database, which may know more than the fact says."""
    survey, anchor, cause, happened_at, due_at = row
    candidate = Candidate(
        survey=survey,
        definition=one.definition,
        version=one.version,
        kind=one.kind,
        about=one.about,
        rule=one.rule,
        anchor=anchor,
        subject=one.subject,
        cause=cause,
        happened_at=happened_at,
        due_at=due_at,
        refs={},
    )
    return Marked(candidate, one.reason)


def _outcomes(records: Iterable[Record]) -> Iterable[_Outcome]:
    for record in records:
        envelope = record.envelope
        if envelope.type == SENT and record.topic in (FEEDBACK.name, INTERACTIONS.name):
            pass
        elif envelope.type != NOT_INVITED or record.topic != FEEDBACK.name:
            continue
        data = decode_data(envelope)
        assert isinstance(data, wire.SurveySent | wire.SurveyNotInvited)  # noqa: S101 - for the type checker
        if envelope.subject is not None and data.survey is not None:
            yield _outcome(record, data, data.survey, envelope.subject)


def _outcome(
    record: Record, data: wire.SurveySent | wire.SurveyNotInvited, survey: str, subject: str
) -> _Outcome:
    definition, _, version = (data.definition or "").partition("@")
    refs = {name: getattr(data, name, None) for name in _REFS}
    is_sent = isinstance(data, wire.SurveySent)
    return _Outcome(
        survey=survey,
        definition=definition,
        version=int(version) if _VERSION.fullmatch(version) else 0,
        kind=data.kind or "custom",
        about=data.about,
        rule=data.rule,
        anchor=_anchor(record, refs),
        subject=subject,
        cause=record.key,
        at=record.envelope.time,
        state="sent" if is_sent else "not_invited",
        reason=None if is_sent else getattr(data, "reason", None),
        channel=data.channel or record.envelope.channel,
        refs=orjson.dumps({name: one for name, one in refs.items() if one is not None}).decode(),
        expires=getattr(data, "expires", None),
    )


def _anchor(record: Record, refs: dict[str, Any]) -> str:
    """The reason, as far as the fact names it; empty: the event that gave it will say."""
    for thing in _THINGS:
        if refs[thing] is not None:
            return f"{thing}:{refs[thing]}"
    return "" if record.topic == FEEDBACK.name else "published"
