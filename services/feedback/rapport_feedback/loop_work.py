"""What people do with follow-ups: take them, hand them over, and close them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson
from asyncpg import Record
from rapport_events.feedback import LoopClosed
from rapport_events.topics import FEEDBACK
from rapport_events.work import TaskAssigned, TaskCompleted
from rapport_privacy.crypto import DataKey, TamperedError, seal, unseal
from rapport_runtime import outbox
from rapport_runtime.database import driver
from rapport_runtime.http.problems import ApiError
from rapport_runtime.outbox import derived_id
from rapport_runtime.subscription import Derived
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback.desk import Desk
from rapport_feedback.domain.source import SOURCE

_CLOSED: Final = "loop.closed"

_HOLD: Final = """
SELECT *, subject_id::text AS subject, note::text AS noted FROM loop WHERE loop = $1 FOR UPDATE
"""
_ASSIGN: Final = "UPDATE loop SET owner = $2, touched_at = $3 WHERE loop = $1"

_CLOSE: Final = """
UPDATE loop SET state = 'closed', closed_at = $2, outcome = $3, informed = $4,
    note = $5::text::jsonb, remind_at = NULL
WHERE loop = $1
"""

_NOTE: Final = "UPDATE loop SET note = $2::text::jsonb WHERE loop = $1"


class LoopNotFoundError(ApiError):
    """There is no follow-up of this id."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__("there is no follow-up of this id; GET /v1/loops lists them")


class LoopClosedError(ApiError):
    """The follow-up is over."""

    status_code = 409

    def __init__(self, outcome: str | None) -> None:
        super().__init__(
            "the follow-up is closed already; what came of it stays as it was said first",
            members={"outcome": outcome},
        )


class LoopNotedError(ApiError):
    """The follow-up is over, and has another note."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__(
            "note: the follow-up was closed with another note, which stays as it was written; "
            "leave the note out, or send the same one"
        )


class NobodyToNoteError(ApiError):
    """A note is kept under the key of its person, and there is none."""

    status_code = 422

    def __init__(self) -> None:
        super().__init__(
            "note: the follow-up belongs to nobody who is known here, so there is no key to keep a "
            "note under; close it without one"
        )


class Closing(NamedTuple):
    """What came of a follow-up, and what whoever closed it wrote down."""

    outcome: str
    informed: bool
    note: str | None = None


@dataclass(frozen=True, slots=True)
class _Note:
    """What is to be kept of a follow-up under the key of its person."""

    text: str = field(repr=False)
    key: DataKey
    subject: str
    event_id: str

    def sealed(self) -> str:
        blob = seal(
            self.key,
            subject=self.subject,
            event_id=self.event_id,
            type_=LoopClosed.type,
            plaintext=orjson.dumps({"note": self.text}),
        )
        return orjson.dumps(blob).decode()

    def is_in(self, blob: str) -> bool:
        """Whether this is what was kept; what does not open is something else."""
        try:
            kept = unseal(
                self.key,
                orjson.loads(blob),
                subject=self.subject,
                event_id=self.event_id,
                type_=LoopClosed.type,
            )
        except TamperedError:
            return False
        return kept == orjson.dumps({"note": self.text})


async def assign(desk: Desk, loop: str, owner: str) -> None:
    """Raises LoopNotFoundError, LoopClosedError."""
    async with desk.engine.begin() as tx:
        row = await _hold(tx, loop)
        if row["state"] != "open":
            raise LoopClosedError(row["outcome"])
        if row["owner"] == owner and row["touched_at"] is not None:
            return
        now = datetime.now(UTC)
        await (await driver(tx)).execute(_ASSIGN, loop, owner, now)
        task = {
            "task": row["task"],
            "due": row["due_at"],
            "assignee": owner,
            "ref": f"survey:{row['survey']}"[:256],
        }
        # Handed to and fro, it becomes somebody's each time: a fact of its own.
        rule = f"task.assigned {now.isoformat()}"
        await outbox.add(tx, [loop_fact(row, rule, TaskAssigned.type, now, task)])


async def close(desk: Desk, loop: str, said: Closing) -> None:
    """Raises LoopNotFoundError, LoopClosedError, LoopNotedError, NobodyToNoteError, and
    KeyringUnavailableError.
    """
    note = None if said.note is None else await _note(desk, loop, said.note)
    async with desk.engine.begin() as tx:
        row = await _hold(tx, loop)
        if row["state"] != "open":
            if (row["outcome"], row["informed"]) != (said.outcome, said.informed):
                raise LoopClosedError(row["outcome"])
            if note is not None:
                await _note_afterwards(tx, row, note)
            return
        if note is not None and row["subject"] is None:
            raise NobodyToNoteError
        now = datetime.now(UTC)
        written = None if note is None else note.sealed()
        await (await driver(tx)).execute(_CLOSE, loop, now, said.outcome, said.informed, written)
        data = {
            "loop": loop,
            "survey": row["survey"],
            "owner": row["owner"],
            "outcome": said.outcome,
            "informed": said.informed,
        }
        task = {"task": row["task"], "assignee": row["owner"]}
        await outbox.add(
            tx,
            [
                loop_fact(row, "task.completed", TaskCompleted.type, now, task),
                loop_fact(row, _CLOSED, LoopClosed.type, now, data),
            ],
        )


def loop_fact(row: Record, rule: str, type_: str, at: datetime, data: dict[str, Any]) -> Derived:
    """A fact about a follow-up; it follows from the loop itself."""
    return Derived(
        cause=UUID(row["loop"]).bytes,
        rule=rule,
        topic=FEEDBACK.name,
        source=SOURCE,
        type=type_,
        time=at,
        data=data,
        subject=row["subject"],
    )


def note_id(loop: str) -> str:
    """What the seal of a note is bound to."""
    return str(derived_id(UUID(loop).bytes, _CLOSED))


async def _hold(tx: AsyncConnection, loop: str) -> Record:
    row = await (await driver(tx)).fetchrow(_HOLD, loop)
    if row is None:
        raise LoopNotFoundError
    return row


async def _note_afterwards(tx: AsyncConnection, row: Record, note: _Note) -> None:
    """Whoever wrote nothing down may do so later; who sends the same again has done so."""
    if row["subject"] is None:
        raise NobodyToNoteError
    if row["noted"] is None:
        await (await driver(tx)).execute(_NOTE, row["loop"], note.sealed())
    elif not note.is_in(row["noted"]):
        raise LoopNotedError


async def _note(desk: Desk, loop: str, text: str) -> _Note:
    """Before the transaction: the key is in another database."""
    row = await desk.pool.fetchrow("SELECT subject_id::text AS s FROM loop WHERE loop = $1", loop)
    if row is None:
        raise LoopNotFoundError
    keys = await desk.keyring.keys_of([row["s"]] if row["s"] else [])
    key = keys.get(row["s"])
    if not isinstance(key, DataKey):
        raise NobodyToNoteError
    return _Note(text, key, row["s"], note_id(loop))
