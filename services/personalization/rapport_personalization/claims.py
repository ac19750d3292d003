"""What whoever runs back-tests writes: that it runs one, how far it is, and what it found."""

from collections.abc import Mapping, Sequence
from typing import Final

import orjson
from rapport_runtime.database import driver
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization.backtests import COLUMNS, Backtest, backtest_of
from rapport_personalization.domain.plan import Relived
from rapport_personalization.effects import gate_document

_MOST_ATTEMPTS: Final = 3

LOST: Final = "the process that ran it was lost three times; ask for a smaller part"

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
RETURNING {COLUMNS}
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


async def claim(tx: AsyncConnection) -> Backtest | None:
    """The next, which runs from now on; one that was running has been lost, and comes first.

    Asked by the only one who runs any.
    """
    connection = await driver(tx)
    await connection.execute(_ERASED)
    await connection.execute(_GIVE_UP, _MOST_ATTEMPTS, LOST)
    row = await connection.fetchrow(_CLAIM)
    return None if row is None else backtest_of(row)


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
