"""Applying a parked event again, once what was wrong with it has been mended."""

from typing import Literal

from rapport_events.envelope import Record, event_key
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_runtime.contract import Resources, Subscription
from rapport_runtime.failure import SPOKEN, data_reason
from rapport_runtime.parked import settle
from rapport_runtime.subscription.transaction import apply_records
from rapport_runtime.tables import TABLES

Redriven = Literal["redriven", "repeat", "still_parked", "not_waiting"]
"""Applied now; known by now, so nothing changed; refused again; not (or no longer) waiting."""

_T = TABLES.parked_event


async def redrive(subscription: Subscription, resources: Resources, parked_id: int) -> Redriven:
    """Apply one parked event through the subscription, in one transaction.

    Refused again, it stays parked under the new reason.
    """
    async with resources.engine.begin() as connection:
        waiting = await connection.execute(
            select(_T)
            .where(
                _T.c.id == parked_id,
                _T.c.projector == subscription.name,
                _T.c.settled_at.is_(None),
            )
            .with_for_update()
        )
        row = waiting.one_or_none()
        if row is None:
            return "not_waiting"
        try:
            async with connection.begin_nested():
                return await _apply(connection, subscription, row, emit=resources.emit)
        except SPOKEN as error:
            reason = data_reason(error)
            if reason is None:
                raise
        change = {"code": reason.code, "detail": reason.detail}
        await connection.execute(update(_T).where(_T.c.id == parked_id).values(change))
        return "still_parked"


async def _apply(
    connection: AsyncConnection,
    subscription: Subscription,
    row: Row[tuple[object, ...]],
    *,
    emit: bool,
) -> Redriven:
    envelope = subscription.decode(row.value)
    record = Record(
        topic=row.topic,
        partition=row.partition,
        offset=row.offset,
        key=event_key(envelope.source, envelope.id),
        envelope=envelope,
        value=row.value,
    )
    outcome, conflicts = await apply_records(connection, subscription, [record], emit=emit)
    if conflicts:
        return "still_parked"
    result: Redriven = "redriven" if outcome.applied else "repeat"
    await settle(connection, [row.id], result)
    return result
