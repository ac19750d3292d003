"""Back-tests as they are kept: what was asked for, how far it is, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
from rapport_runtime.database import driver
from rapport_runtime.http.problems import ApiError
from rapport_runtime.pool import Reads
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization.domain.plan import Relived
from rapport_personalization.effects import gate_document

MOST_OPEN: Final = 20
_MOST_ATTEMPTS: Final = 3
_KEPT: Final = "90 days"

LOST: Final = "the process that ran it was lost three times; ask for a smaller part"

_COLUMNS: Final = """
id::text, trigger, version, start, "end", sample, state, attempts, share, events, seconds, reason,
result::text, created_at, created_by, started_at, ended_at
"""

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('rapport.backtests'))"

_FORGET: Final = f"DELETE FROM backtest WHERE ended_at < now() - interval '{_KEPT}'"  # noqa: S608 - ours

_OPEN: Final = "SELECT count(*) FROM backtest WHERE state IN ('queued', 'running')"

_ADD: Final = f"""
INSERT INTO backtest (id, trigger, version, start, "end", sample, state, created_by)
VALUES ($1::text::uuid, $2, $3, $4, $5, $6, 'queued', $7) RETURNING {_COLUMNS}
"""  # noqa: S608 - our own columns

_ONE: Final = f"SELECT {_COLUMNS} FROM backtest WHERE id = $1::text::uuid"  # noqa: S608 - ours

_OF: Final = f"""
SELECT {_COLUMNS} FROM backtest
WHERE trigger = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::text::uuid))
ORDER BY created_at DESC, id DESC LIMIT $4
"""  # noqa: S608 - our own columns

_CANCEL: Final = f"""
UPDATE backtest SET state = 'cancelled', ended_at = now()
WHERE id = $1::text::uuid AND state IN ('queued', 'running') RETURNING {_COLUMNS}
"""  # noqa: S608 - our own columns

_GIVE_UP: Final = """
UPDATE backtest SET state = 'failed', ended_at = now(), reason = $2
WHERE state = 'running' AND attempts >= $1
"""

_CLAIM: Final = f"""
UPDATE backtest SET state = 'running', attempts = attempts + 1, share = 0, events = 0,
    seconds = 0, started_at = now()
WHERE id = (
    SELECT id FROM backtest WHERE state IN ('queued', 'running')
    ORDER BY state = 'queued', created_at, id LIMIT 1
)
RETURNING {_COLUMNS}
"""  # noqa: S608 - our own columns

_EMPTY: Final = "DELETE FROM backtest_decision WHERE backtest = $1::text::uuid"

_ERASED: Final = """
DELETE FROM backtest_decision AS found USING person_subject AS person
WHERE found.subject_id = person.subject_id AND person.erased_at IS NOT NULL
"""
"""Of who was erased while it ran."""

_PROGRESS: Final = """
UPDATE backtest SET share = $3, events = $4, seconds = $5
WHERE id = $1::text::uuid AND state = 'running' AND attempts = $2 RETURNING true
"""

_FINISH: Final = """
UPDATE backtest SET state = 'done', share = 1, events = $3, seconds = $4, result = $5::text::jsonb,
    ended_at = now()
WHERE id = $1::text::uuid AND state = 'running' AND attempts = $2
"""

_FAIL: Final = """
UPDATE backtest SET state = 'failed', reason = $3, ended_at = now()
WHERE id = $1::text::uuid AND state = 'running' AND attempts = $2
"""

_ROW: Final = (
    "backtest", "id", "person", "subject_id", "anchor", "thing", "at", "due", "send_at", "outcome",
    "gate", "arm", "channel", "gates",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Backtest:
    """One of them."""

    id: str
    trigger: str
    version: int
    start: datetime
    end: datetime
    sample: float
    state: str
    attempts: int
    share: float
    events: int
    seconds: float
    reason: str | None
    result: str | None
    created_at: datetime
    created_by: str
    started_at: datetime | None
    ended_at: datetime | None


class TooManyBacktestsError(ApiError):
    """So many wait already that another one would not be run for long."""

    status_code = 429

    def __init__(self) -> None:
        super().__init__(
            f"{MOST_OPEN} back-tests wait already, and one runs at a time; "
            "wait for one to end, or cancel one",
            headers={"retry-after": "60"},
        )


class BacktestNotFoundError(ApiError):
    """There is no back-test of this id, or not any more."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__(
            f"there is no back-test of this id; they are kept for {_KEPT}, and "
            "GET /v1/triggers/{id}/backtests lists them"
        )


class BacktestEndedError(ApiError):
    """It has ended, so there is nothing to cancel."""

    status_code = 409

    def __init__(self, state: str) -> None:
        super().__init__(
            f"this back-test is {state}: only one that waits or runs is cancelled",
            members={"state": state},
        )


async def add(
    tx: AsyncConnection,
    trigger: str,
    version: int,
    period: tuple[datetime, datetime],
    sample: float,
    by: str,
) -> Backtest:
    """Raises TooManyBacktestsError. What ended long ago is forgotten."""
    connection = await driver(tx)
    await connection.execute(_LOCK)
    await connection.execute(_FORGET)
    if await connection.fetchval(_OPEN) >= MOST_OPEN:
        raise TooManyBacktestsError
    row = await connection.fetchrow(_ADD, str(uuid4()), trigger, version, *period, sample, by)
    return _backtest(row)


async def load(reads: Reads, id_: UUID) -> Backtest:
    """Raises BacktestNotFoundError."""
    row = await reads.fetchrow(_ONE, str(id_))
    if row is None:
        raise BacktestNotFoundError
    return _backtest(row)


async def load_of(
    reads: Reads, trigger: str, after: tuple[datetime | None, str | None], limit: int
) -> list[Backtest]:
    """The newest first."""
    return [_backtest(row) for row in await reads.fetch(_OF, trigger, *after, limit)]


async def cancel(tx: AsyncConnection, id_: UUID) -> Backtest:
    """Whoever runs it stops soon. Raises BacktestNotFoundError, BacktestEndedError."""
    connection = await driver(tx)
    row = await connection.fetchrow(_CANCEL, str(id_))
    if row is not None:
        return _backtest(row)
    known = await connection.fetchrow(_ONE, str(id_))
    if known is None:
        raise BacktestNotFoundError
    if known["state"] != "cancelled":
        raise BacktestEndedError(known["state"])
    return _backtest(known)


async def claim(tx: AsyncConnection) -> Backtest | None:
    """The next, which runs from now on; one that was running has been lost, and comes first.

    Asked by the only one who runs any.
    """
    connection = await driver(tx)
    await connection.execute(_ERASED)
    await connection.execute(_GIVE_UP, _MOST_ATTEMPTS, LOST)
    row = await connection.fetchrow(_CLAIM)
    return None if row is None else _backtest(row)


async def empty(tx: AsyncConnection, id_: str) -> None:
    """Of what an earlier attempt has found."""
    await (await driver(tx)).execute(_EMPTY, id_)


async def advance(
    tx: AsyncConnection, task: Backtest, share: float, events: int, seconds: float
) -> bool:
    """False: it was cancelled, or somebody else runs it."""
    connection = await driver(tx)
    found = await connection.fetchval(_PROGRESS, task.id, task.attempts, share, events, seconds)
    return found is not None


async def keep(
    tx: AsyncConnection, id_: str, found: Sequence[Relived], shown: Sequence[bool]
) -> None:
    rows = [_record(id_, one, is_sample) for one, is_sample in zip(found, shown, strict=True)]
    if rows:
        connection = await driver(tx)
        await connection.copy_records_to_table("backtest_decision", records=rows, columns=_ROW)


async def finish(
    tx: AsyncConnection, task: Backtest, events: int, seconds: float, result: Mapping[str, object]
) -> None:
    text = orjson.dumps(result).decode()
    connection = await driver(tx)
    await connection.execute(_ERASED)
    await connection.execute(_FINISH, task.id, task.attempts, events, seconds, text)


async def fail(tx: AsyncConnection, task: Backtest, reason: str) -> None:
    await (await driver(tx)).execute(_FAIL, task.id, task.attempts, reason)


def _backtest(row: Any) -> Backtest:  # noqa: ANN401 - a row of the driver's
    return Backtest(*row)


def _record(id_: str, one: Relived, is_sample: bool) -> tuple[object, ...]:  # noqa: FBT001 - of a pair
    decision, candidate = one.decision, one.waiting.candidate
    gates = None
    if is_sample:
        gates = orjson.dumps([gate_document(gate) for gate in decision.gates]).decode()
    return (
        id_, bytes.fromhex(decision.id), decision.person, one.waiting.subject, decision.anchor,
        candidate.thing, candidate.at, decision.due, decision.send_at, decision.outcome,
        decision.gate, decision.arm, decision.channel, gates,
    )  # fmt: skip
