"""Quarantined events tried again, as they are or mended."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_ingest.dialects import BY_NAME, Readings
from rapport_ingest.draft import Arrival, Rejection
from rapport_ingest.house import House
from rapport_ingest.merge_patch import merge_patch
from rapport_ingest.pipeline.accept import examine
from rapport_ingest.pipeline.check import Checked
from rapport_ingest.pipeline.line import ERASED, Kept
from rapport_ingest.pipeline.permission import PUBLISHER
from rapport_ingest.quarantine import store
from rapport_ingest.quarantine.payload import Payload, open_payload, reason_of

MOST: Final = 500
"""Events tried again in one request."""

_PATIENCE: Final = 9.0
"""Kafka has three seconds to acknowledge, and the row locks are given back after ten."""


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of one quarantined event."""

    id: int
    settled_as: str | None
    code: str | None = None
    detail: str | None = None


_CUT: Final = Rejection(
    index=0,
    id=None,
    code="not_kept",
    detail="the event was too large to be kept; only its publisher can send it again",
)


async def retry(
    house: House, ids: Collection[int] | None, wanted: store.Filter, *, by: str
) -> list[Retried]:
    """Try waiting events again: at most 500, the oldest first.

    They are published before the rows are settled. Dying in between leaves them waiting, and
    trying them once more changes nothing downstream: their ids are the same.
    """
    async with house.database(_PATIENCE) as connection:
        rows = await store.claim_refused(connection, ids=ids, wanted=wanted, limit=MOST)
        judged = [_judge(house, _readings(house, row)) for row in rows]
        return await _conclude(house, connection, rows, judged, store.REDRIVEN, by)


async def fix(
    house: House, row_id: int, patch: object, *, by: str, dry_run: bool
) -> Retried | None:
    """Apply an RFC 7396 patch to the event and try it; None: no such event waits."""
    async with house.database(_PATIENCE) as connection:
        rows = await store.claim_refused(connection, ids=[row_id], wanted=store.Filter(), limit=1)
        if not rows:
            return None
        judged = _judge(house, _readings(house, rows[0], patch))
        if dry_run:
            return _unsettled(row_id, judged)
        [retried] = await _conclude(house, connection, rows, [judged], store.FIXED, by)
        return retried


def _readings(house: House, row: RowMapping, patch: object = None) -> Readings:
    payload = open_payload(row["payload"], house.keyring)
    if payload.cut is not None:
        return [_CUT]
    event = payload.event if patch is None else merge_patch(payload.event, patch)
    return BY_NAME[row["adapter"]].read_again(event, payload.frame, _arrival(row, payload))


def _arrival(row: RowMapping, payload: Payload) -> Arrival:
    return Arrival(source=row["source"], received=row["received_at"], historical=payload.historical)


def _judge(house: House, readings: Readings) -> Checked | Rejection:
    checked, rejected = examine(readings, PUBLISHER, house.line.blocked)
    if rejected or not checked:
        return rejected[0] if rejected else _CUT
    return checked[0]


async def _conclude(
    house: House,
    connection: AsyncConnection,
    rows: Sequence[RowMapping],
    judged: Sequence[Checked | Rejection],
    settled_as: str,
    by: str,
) -> list[Retried]:
    landed = iter(await house.line.send([one for one in judged if isinstance(one, Checked)]))
    outcomes = [next(landed) if isinstance(one, Checked) else one for one in judged]
    retried = [
        await _concluded(connection, row["id"], outcome, settled_as)
        for row, outcome in zip(rows, outcomes, strict=True)
    ]
    for settling in (settled_as, store.ERASED):
        ids = [one.id for one in retried if one.settled_as == settling]
        if ids:
            await store.settle_refused(connection, ids, settled_as=settling, by=by)
    return retried


async def _concluded(
    connection: AsyncConnection, row_id: int, outcome: Kept | Rejection, settled_as: str
) -> Retried:
    if isinstance(outcome, Kept):
        return Retried(row_id, settled_as)
    if outcome.code == ERASED:
        return Retried(row_id, store.ERASED)
    await store.tell_again(connection, row_id, reason_of(outcome))
    return _unsettled(row_id, outcome)


def _unsettled(row_id: int, judged: Checked | Rejection) -> Retried:
    if isinstance(judged, Rejection):
        return Retried(row_id, None, judged.code, reason_of(judged)["detail"])
    return Retried(row_id, None)
