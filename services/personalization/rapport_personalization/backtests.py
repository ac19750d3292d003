"""Back-tests as they are kept: what was asked for, how far it is, and what came of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from rapport_runtime.database import driver
from rapport_runtime.http.problems import ApiError
from rapport_runtime.pool import Reads
from sqlalchemy.ext.asyncio import AsyncConnection

MOST_OPEN: Final = 20
_KEPT: Final = "90 days"

COLUMNS: Final = """
id::text, trigger, version, start, "end", sample, state, attempts, share, events, seconds, reason,
result::text, created_at, created_by, started_at, ended_at
"""

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('rapport.backtests'))"

_FORGET: Final = f"DELETE FROM backtest WHERE ended_at < now() - interval '{_KEPT}'"  # noqa: S608 - ours

_OPEN: Final = "SELECT count(*) FROM backtest WHERE state IN ('queued', 'running')"

_ADD: Final = f"""
INSERT INTO backtest (id, trigger, version, start, "end", sample, state, created_by)
VALUES ($1::text::uuid, $2, $3, $4, $5, $6, 'queued', $7) RETURNING {COLUMNS}
"""  # noqa: S608 - our own columns

_ONE: Final = f"SELECT {COLUMNS} FROM backtest WHERE id = $1::text::uuid"  # noqa: S608 - ours

_OF: Final = f"""
SELECT {COLUMNS} FROM backtest
WHERE trigger = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::text::uuid))
ORDER BY created_at DESC, id DESC LIMIT $4
"""  # noqa: S608 - our own columns

_CANCEL: Final = f"""
UPDATE backtest SET state = 'cancelled', ended_at = now()
WHERE id = $1::text::uuid AND state IN ('queued', 'running') RETURNING {COLUMNS}
"""  # noqa: S608 - our own columns


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
    return backtest_of(row)


async def load(reads: Reads, id_: UUID) -> Backtest:
    """Raises BacktestNotFoundError."""
    row = await reads.fetchrow(_ONE, str(id_))
    if row is None:
        raise BacktestNotFoundError
    return backtest_of(row)


async def load_of(
    reads: Reads, trigger: str, after: tuple[datetime | None, str | None], limit: int
) -> list[Backtest]:
    """The newest first."""
    return [backtest_of(row) for row in await reads.fetch(_OF, trigger, *after, limit)]


async def cancel(tx: AsyncConnection, id_: UUID) -> Backtest:
    """Whoever runs it stops soon. Raises BacktestNotFoundError, BacktestEndedError."""
    connection = await driver(tx)
    row = await connection.fetchrow(_CANCEL, str(id_))
    if row is not None:
        return backtest_of(row)
    known = await connection.fetchrow(_ONE, str(id_))
    if known is None:
        raise BacktestNotFoundError
    if known["state"] != "cancelled":
        raise BacktestEndedError(known["state"])
    return backtest_of(known)


def backtest_of(row: Any) -> Backtest:  # noqa: ANN401 - a row of the driver's
    return Backtest(*row)
