"""Runs a back-test: reads what was, asks what would have been, and keeps the answer."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Final

from rapport_runtime.database import driver
from rapport_runtime.failpoint import failpoint
from rapport_runtime.pool import Snapshot
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rapport_personalization import claims, steps
from rapport_personalization.backtests import Backtest
from rapport_personalization.domain.hindsight import relive
from rapport_personalization.domain.plan import Force, Plan, Relived, Spent, Turn, is_of_sample
from rapport_personalization.domain.tally import Tally
from rapport_personalization.pasts import Chunk, Kin, count_moments, load_kin, read_lives
from rapport_personalization.rules import Rulebook

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_NOBODY: Final = Spent((_LONG_AGO, (_LONG_AGO, 0, "", "")))

_POLICIES: Final = "SELECT version::text, created_at FROM policies ORDER BY policies.version"

_SINCE: Final = "SELECT since FROM trigger_version WHERE trigger = $1 AND version = $2"


class CancelledError(Exception):
    """Somebody has cancelled it, or runs it elsewhere."""


@dataclass(slots=True)
class _Work:
    """A back-test on its way."""

    engine: AsyncEngine
    task: Backtest
    plan: Plan
    total: int
    passes: int
    began: float
    events: int = 0
    done: int = 0
    """Passes that are over."""
    tally: Tally = field(default_factory=Tally)
    offers: list[Turn] = field(default_factory=list)


async def run(
    engine: AsyncEngine,
    patient: AsyncEngine,
    rulebook: Rulebook,
    task: Backtest,
    horizon: timedelta,
) -> None:
    """To its end. Raises CancelledError.

    `engine` writes to the tables of the back-tests; everything else is read through `patient`, in
    one transaction in which nothing can be written.
    """
    began = time.monotonic()
    async with engine.begin() as tx:
        await claims.empty(tx, task.id)
    async with reading(patient) as (tx, reader):
        plan = replace(await _plan(tx, reader, rulebook, task), horizon=horizon)
        kin = await load_kin(reader)
        total = await count_moments(reader, task.end)
        work = _Work(engine, task, plan, total, 2 if _budget(plan, task) is not None else 1, began)
        await _pass(work, reader, kin)
        spent = _spent(work)
        if spent is not None:
            await _again(work, spent)
            await _pass(work, reader, kin)
    result = {**work.tally.document(), "basis": _basis(plan), "moments": total}
    async with engine.begin() as tx:
        seconds = time.monotonic() - began
        await claims.finish(tx, task, work.events, seconds, result)


@asynccontextmanager
async def reading(patient: AsyncEngine) -> AsyncIterator[tuple[AsyncConnection, Snapshot]]:
    """One moment of the database, of which nothing can be changed."""
    async with patient.connect() as connection:
        await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        yield connection, await driver(connection)
        await connection.rollback()


async def _plan(tx: AsyncConnection, reader: Snapshot, rulebook: Rulebook, task: Backtest) -> Plan:
    version = (task.trigger, str(task.version))
    trigger = (await rulebook.versions(tx, {version}))[version]
    policies = [(_LONG_AGO, await rulebook.policies_of(tx, "0"))]
    for name, since in await reader.fetch(_POLICIES):
        policies.append((since, await rulebook.policies_of(tx, name)))
    return Plan(
        trigger=trigger,
        start=task.start,
        end=task.end,
        policies=policies,
        force=await _force(reader, task),
    )


async def _force(reader: Snapshot, task: Backtest) -> Force | None:
    known = await steps.load(reader, task.trigger, task.version)
    step = steps.in_force_since(known, task.start, task.end)
    if step is None:
        return None
    since = await reader.fetchval(_SINCE, task.trigger, task.version)
    return Force(step.at, since or step.at, step.state == "shadow")


async def _pass(work: _Work, reader: Snapshot, kin: Kin) -> None:
    trigger = work.plan.trigger
    entries = None if trigger.on.calendar is not None else trigger.on.events
    read = 0

    def is_asked(person: str) -> bool:
        return work.task.sample >= 1 or is_of_sample(person, work.task.sample)

    async for chunk in read_lives(reader, kin, work.task.end, entries, is_asked):
        read += chunk.events
        work.events += chunk.events
        found, shown = _relive(work, chunk)
        await _save(work, found, shown, read)
    work.done += 1


def _relive(work: _Work, chunk: Chunk) -> tuple[list[Relived], list[bool]]:
    found: list[Relived] = []
    shown: list[bool] = []
    for life in chunk.lives:
        told = list(relive(work.plan, life.living(), life.steps, life.logged))
        shown += work.tally.add(told)
        work.tally.compare(work.plan, told, life.logged)
        found += told
    offer = work.plan.trigger.offer
    if offer is not None:
        work.offers += [one.turn for one in found if one.decision.effect is not None]
    return found, shown


async def _save(work: _Work, found: Sequence[Relived], shown: Sequence[bool], read: int) -> None:
    share = min(1.0, (work.done + read / max(1, work.total)) / work.passes)
    seconds = time.monotonic() - work.began
    async with work.engine.begin() as tx:
        if not await claims.advance(tx, work.task, share, work.events, seconds):
            raise CancelledError
        await claims.keep(tx, work.task.id, found, shown)
    failpoint("after_backtest_progress")


def _budget(plan: Plan, task: Backtest) -> int | None:
    """What is spent from the beginning of the period on; of a part of the people a part."""
    offer = plan.trigger.offer
    if plan.force is not None or offer is None or offer.budget is None:
        return None
    return ceil(offer.budget * task.sample)


def _spent(work: _Work) -> Spent | None:
    """Decisions up to it are not changed by those that come after: to look once more is enough."""
    budget = _budget(work.plan, work.task)
    if budget is None or len(work.offers) <= budget:
        return None
    return Spent(sorted(work.offers)[budget - 1]) if budget else _NOBODY


async def _again(work: _Work, spent: Spent) -> None:
    """From the beginning, now that it is known for whom nothing was left."""
    work.plan = replace(work.plan, spent=spent)
    work.tally, work.offers = Tally(), []
    async with work.engine.begin() as tx:
        await claims.empty(tx, work.task.id)


def _basis(plan: Plan) -> str:
    return "in_force" if plan.force is not None else "as_if"
