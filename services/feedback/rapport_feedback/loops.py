"""Follow-ups: opened with the answer, given to somebody, closed with what came of it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from rapport_events.feedback import LoopClosed, LoopOpened
from rapport_events.topics import FEEDBACK
from rapport_events.work import TaskCancelled, TaskCreated
from rapport_runtime.database import Tx, driver
from rapport_runtime.outbox import derived_id
from rapport_runtime.subscription import Derived

from rapport_feedback.domain.answer import AnswerRow
from rapport_feedback.domain.followup import CORRECTED, ERASED, LoopTerms
from rapport_feedback.domain.source import SOURCE
from rapport_feedback.settings import LoopSettings

_OPEN: Final = """
INSERT INTO loop (loop, survey, task, subject_id, kind, about, score, definition, owner, state,
    opened_at, due_at, remind_at)
SELECT loop, survey, task, subject::uuid, kind, about, score, definition, owner, 'open',
    opened_at, due_at, due_at
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
    $8::text[], $9::text[], $10::timestamptz[], $11::timestamptz[])
    AS new(loop, survey, task, subject, kind, about, score, definition, owner, opened_at, due_at)
ON CONFLICT DO NOTHING
"""

_CLOSE: Final = """
UPDATE loop SET state = 'closed', closed_at = said.at, outcome = $3, informed = false,
    remind_at = NULL, score = said.score
FROM unnest($1::text[], $2::timestamptz[], $4::bigint[]) AS said(loop, at, score)
WHERE loop.loop = said.loop AND loop.state = 'open' AND loop.touched_at IS NULL
RETURNING loop.loop
"""
"""Somebody may have taken, or closed, it since it was looked at."""

_RESCORE: Final = """
UPDATE loop SET score = said.score FROM unnest($1::text[], $2::bigint[]) AS said(loop, score)
WHERE loop.loop = said.loop AND loop.score IS DISTINCT FROM said.score
"""

_FORGET: Final = """
UPDATE loop SET subject_id = NULL, note = NULL, remind_at = NULL, state = 'closed',
    closed_at = CASE state WHEN 'open' THEN $2::timestamptz ELSE closed_at END,
    outcome = CASE state WHEN 'open' THEN $3 ELSE outcome END,
    informed = CASE state WHEN 'open' THEN false ELSE informed END
WHERE subject_id = ANY($1::text[]::uuid[])
"""


class Opening(NamedTuple):
    """A follow-up that begins."""

    answer: AnswerRow
    loop: str
    task: str
    owner: str
    opened_at: datetime
    due_at: datetime

    @classmethod
    def of(cls, answer: AnswerRow, terms: LoopTerms, settings: LoopSettings) -> "Opening":
        """Ids follow from the answer, so that a repeat opens the same one."""
        hours = terms.due_hours or settings.due_hours
        return cls(
            answer=answer,
            loop=str(derived_id(answer.event_key, "loop")),
            task=str(derived_id(answer.event_key, "task")),
            owner=terms.owner or answer.agent or answer.team or settings.owner,
            # Whose answer came late is waited for from now on, not from then.
            opened_at=answer.recorded_at,
            due_at=answer.recorded_at + timedelta(hours=hours),
        )


class Correction(NamedTuple):
    """A follow-up that nobody took, and that its customer does not need any more."""

    answer: AnswerRow
    loop: str
    task: str
    owner: str | None


async def open_loops(tx: Tx, openings: Sequence[Opening]) -> list[Derived]:
    """Under the lock on their answers."""
    if not openings:
        return []
    await (await driver(tx)).execute(
        _OPEN,
        [one.loop for one in openings],
        [one.answer.survey for one in openings],
        [one.task for one in openings],
        [one.answer.subject_id for one in openings],
        [one.answer.kind for one in openings],
        [one.answer.about for one in openings],
        [one.answer.score for one in openings],
        [one.answer.definition for one in openings],
        [one.owner for one in openings],
        [one.opened_at for one in openings],
        [one.due_at for one in openings],
    )
    return [fact for one in openings for fact in _opened(one)]


async def correct_loops(tx: Tx, corrections: Sequence[Correction]) -> list[Derived]:
    """Under the lock on their answers."""
    if not corrections:
        return []
    closed = await (await driver(tx)).fetch(
        _CLOSE,
        [one.loop for one in corrections],
        [one.answer.recorded_at for one in corrections],
        CORRECTED,
        [one.answer.score for one in corrections],
    )
    ours = {row["loop"] for row in closed}
    return [fact for one in corrections if one.loop in ours for fact in _corrected(one)]


async def rescore_loops(tx: Tx, scores: Sequence[tuple[str, int | None]]) -> None:
    """A follow-up shows the score that the customer gave last."""
    if scores:
        connection = await driver(tx)
        await connection.execute(_RESCORE, [loop for loop, _ in scores], [s for _, s in scores])


async def forget(tx: Tx, subjects: Collection[str], at: datetime) -> None:
    """Follow-ups of erased people stay as numbers; who is to be called cannot be any more."""
    if subjects:
        await (await driver(tx)).execute(_FORGET, list(subjects), at, ERASED)


def fact(cause: AnswerRow, rule: str, type_: str, at: datetime, data: dict[str, Any]) -> Derived:
    return Derived(
        cause=cause.event_key,
        rule=rule,
        topic=FEEDBACK.name,
        source=SOURCE,
        type=type_,
        time=at,
        data=data,
        subject=cause.subject_id,
        attributes={"causationid": cause.event_id},
    )


def _opened(one: Opening) -> list[Derived]:
    answer, at = one.answer, one.opened_at
    task = {
        "task": one.task,
        "due": one.due_at,
        "assignee": one.owner,
        "ref": f"survey:{answer.survey}"[:256],
    }
    loop = {
        "loop": one.loop,
        "survey": answer.survey,
        "owner": one.owner,
        "due": one.due_at,
        "score": answer.score,
        "task": one.task,
    }
    return [
        fact(answer, "task.created", TaskCreated.type, at, task),
        fact(answer, "loop.opened", LoopOpened.type, at, loop),
    ]


def _corrected(one: Correction) -> list[Derived]:
    answer, at = one.answer, one.answer.recorded_at
    loop = {
        "loop": one.loop,
        "survey": answer.survey,
        "owner": one.owner,
        "outcome": CORRECTED,
        "informed": False,
    }
    return [
        fact(answer, "task.cancelled", TaskCancelled.type, at, {"task": one.task}),
        fact(answer, "loop.closed", LoopClosed.type, at, loop),
    ]
