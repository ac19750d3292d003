"""One batch, one transaction: offsets, effects, outbox and parked events together or not at all."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rapport_events.envelope import Record
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_runtime import inbox, outbox, parked
from rapport_runtime.contract import Resources, Subscription
from rapport_runtime.failpoint import failpoint
from rapport_runtime.failure import SPOKEN, data_reason
from rapport_runtime.parked import CONFLICT, Parked
from rapport_runtime.subscription.batch import Batch
from rapport_runtime.subscription.offsets import advance

_AT_ONCE: Final = text("SET CONSTRAINTS ALL IMMEDIATE")
"""A constraint that waits for COMMIT would not tell which event broke it."""


@dataclass(slots=True)
class Outcome:
    """What became of a batch: applied + repeated + parked is its length."""

    applied: int = 0
    repeated: int = 0
    parked: int = 0
    derived: int = 0


async def apply_batch(subscription: Subscription, resources: Resources, batch: Batch) -> Outcome:
    """Apply the batch and move the offsets, or change nothing.

    Raises FencedError when the offsets are not where the batch began, TooManyParkedError when
    it is not the data; whatever else comes out is the environment's fault or a bug.
    """
    try:
        return await _commit(subscription, resources, batch, dividing=False)
    except SPOKEN as error:
        if data_reason(error) is None:
            raise
    return await _commit(subscription, resources, batch, dividing=True)


async def apply_records(
    connection: AsyncConnection,
    subscription: Subscription,
    records: Sequence[Record],
    *,
    emit: bool,
) -> tuple[Outcome, list[Parked]]:
    """Sift, apply, and write what follows; conflicts are the second result."""
    if subscription.fresh is None:
        sifted = await inbox.fresh(subscription.name, connection, records)
    else:
        sifted = await subscription.fresh(connection, records)
    derived = await subscription.apply(connection, sifted.new) if sifted.new else ()
    if emit:
        await outbox.add(connection, derived)
    conflicts = [Parked.of(record, CONFLICT) for record in sifted.conflicts]
    applied = len(sifted.new)
    repeated = len(records) - applied - len(conflicts)
    return Outcome(applied, repeated, 0, len(derived) if emit else 0), conflicts


async def _commit(
    subscription: Subscription, resources: Resources, batch: Batch, *, dividing: bool
) -> Outcome:
    failpoint("before_begin")
    async with resources.engine.begin() as connection:
        await advance(connection, subscription.name, batch.steps)
        failpoint("before_apply")
        work = _Work(connection, subscription, resources.emit)
        if dividing:
            await connection.execute(_AT_ONCE)
            await work.divide(batch.records)
        elif batch.records:
            await work.apply(batch.records)
        failpoint("after_apply")
        aside = [*batch.unreadable, *work.aside]
        if aside:
            limits = resources.settings.worker
            await parked.park(connection, subscription.name, aside, limits)
        failpoint("before_db_commit")
    failpoint("after_db_commit")
    return dataclasses.replace(work.outcome, parked=len(aside))


class _Work:
    """The effects of one transaction so far."""

    def __init__(self, connection: AsyncConnection, subscription: Subscription, emit: bool) -> None:  # noqa: FBT001
        self._connection = connection
        self._subscription = subscription
        self._emit = emit
        self.outcome = Outcome()
        self.aside: list[Parked] = []

    async def apply(self, records: Sequence[Record]) -> None:
        outcome, conflicts = await apply_records(
            self._connection, self._subscription, records, emit=self._emit
        )
        self.outcome.applied += outcome.applied
        self.outcome.repeated += outcome.repeated
        self.outcome.derived += outcome.derived
        self.aside += conflicts

    async def divide(self, records: Sequence[Record]) -> None:
        """Apply what can be applied, in order, and set aside exactly what cannot.

        Each event is tried at most log2(batch) times.
        """
        if not records:
            return
        try:
            async with self._connection.begin_nested():
                await self.apply(records)
        except SPOKEN as error:
            reason = data_reason(error)
            if reason is None:
                raise
        else:
            return
        if len(records) == 1:
            self.aside.append(Parked.of(records[0], reason))
            return
        middle = len(records) // 2
        await self.divide(records[:middle])
        await self.divide(records[middle:])
