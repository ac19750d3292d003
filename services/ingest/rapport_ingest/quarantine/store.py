"""Quarantined events to rows and back."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_ingest.tables import quarantine

REDRIVEN: Final = "redriven"
FIXED: Final = "fixed"
ERASED: Final = "erased"
DISCARDED: Final = "discarded"

_C = quarantine.c
PRUNE_ROWS: Final = 10_000
_SAVE_ROWS: Final = 1_000
"""A statement has at most 32,767 parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which events: all conditions together."""

    code: str | None = None
    source: str | None = None
    event_id: str | None = None
    received_from: datetime | None = None
    received_until: datetime | None = None
    waiting_only: bool = True


async def save_refused(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep refused events, 1,000 in a statement; the same refusal again is only counted."""
    unlike = list({row["digest"]: row for row in rows}.values())
    for start in range(0, len(unlike), _SAVE_ROWS):
        statement = insert(quarantine).values(unlike[start : start + _SAVE_ROWS])
        statement = statement.on_conflict_do_update(
            index_elements=[_C.digest],
            set_={"seen": quarantine.c.seen + 1, "last_seen_at": func.now()},
        )
        await connection.execute(statement)


async def list_refused(
    connection: AsyncConnection, wanted: Filter, *, before: int | None, limit: int
) -> Sequence[RowMapping]:
    """The newest first, beginning below the id `before`."""
    query = select(quarantine).where(*_conditions(wanted)).order_by(_C.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_C.id < before)
    return (await connection.execute(query)).mappings().all()


async def load_refused(connection: AsyncConnection, row_id: int) -> RowMapping | None:
    query = select(quarantine).where(_C.id == row_id)
    return (await connection.execute(query)).mappings().one_or_none()


async def claim_refused(
    connection: AsyncConnection, *, ids: Collection[int] | None, wanted: Filter, limit: int
) -> Sequence[RowMapping]:
    """Waiting events, the oldest first, locked until the transaction ends.

    Events that somebody else is trying again at this moment are left to them.
    """
    query = select(quarantine).where(_C.settled_as.is_(None), *_conditions(wanted))
    if ids is not None:
        query = query.where(_C.id.in_(ids))
    query = query.order_by(_C.id).limit(limit).with_for_update(skip_locked=True)
    return (await connection.execute(query)).mappings().all()


async def settle_refused(
    connection: AsyncConnection, ids: Collection[int], *, settled_as: str, by: str
) -> list[int]:
    """Mark waiting events; returns the ids of those that were."""
    settled = await connection.execute(
        update(quarantine)
        .where(_C.id.in_(ids), _C.settled_as.is_(None))
        .values(settled_as=settled_as, settled_at=func.now(), settled_by=by)
        .returning(_C.id)
    )
    return sorted(settled.scalars())


async def tell_again(connection: AsyncConnection, row_id: int, reason: Mapping[str, Any]) -> None:
    """A new reason for an event that was tried again in vain."""
    await connection.execute(update(quarantine).where(_C.id == row_id).values(**reason))


async def prune_refused(connection: AsyncConnection, age: timedelta) -> int:
    """Forget what came longer ago, settled or not; returns how many of at most 10,000."""
    old = select(_C.id).where(_C.received_at < func.now() - age).limit(PRUNE_ROWS)
    gone = await connection.execute(delete(quarantine).where(_C.id.in_(old)))
    return gone.rowcount


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.waiting_only:
        found.append(_C.settled_as.is_(None))
    if wanted.code is not None:
        found.append(_C.code == wanted.code)
    if wanted.source is not None:
        found.append(_C.source == wanted.source)
    if wanted.event_id is not None:
        found.append(_C.event_id == wanted.event_id)
    if wanted.received_from is not None:
        found.append(_C.received_at >= wanted.received_from)
    if wanted.received_until is not None:
        found.append(_C.received_at < wanted.received_until)
    return found
