"""Proof that the live version is what the log says: a sample of it, or all, is folded again.

What is compared comes from the log alone, by the same code, in tables of its own that are gone
afterwards. A sample takes everybody along whom the log links to one of it.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from rapport_events.envelope import Record
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_runtime import inbox
from rapport_runtime.contract import Derived, Sifted, Subscription
from rapport_runtime.database import create_patient_engine
from rapport_runtime.progress import Positions, select_positions
from rapport_runtime.rebuild import schemas
from rapport_runtime.rebuild.build import Report, told
from rapport_runtime.rebuild.digests import compare
from rapport_runtime.rebuild.level import alone, follow, reach
from rapport_runtime.rebuild.projection import Projection, Site

_MOST_PASSES: Final = 10
"""Over the log, to find who is linked with whom: each finds those one link further, at least."""


async def verify(site: Site, sample: int | None) -> Report:
    """Compare so many customers of the live version, or all, with the log.

    Raises HaltedError when that cannot be done.
    """
    check = site.projection.check
    async with alone(site):
        await _make(site, check)
        try:
            return await _verify_all(site) if sample is None else await _verify(site, sample)
        finally:
            async with site.engine.begin() as connection:
                await schemas.drop(connection, check)


async def _make(site: Site, schema: str) -> None:
    async with site.engine.begin() as connection:
        await schemas.drop(connection, schema)
        await schemas.create(connection, site.projection, schema)


async def _verify_all(site: Site) -> Report:
    # Most of the work before the snapshot: the database cannot clean up behind a long one.
    await follow(site, site.projection.check)
    steady = site.engine.execution_options(isolation_level="REPEATABLE READ")
    async with steady.connect() as live:
        positions = await select_positions(live, site.projection.subscription.name)
        await reach(site, site.projection.check, positions)
        return await _compare(site, live, positions, None)


async def _verify(site: Site, sample: int) -> Report:
    steady = site.engine.execution_options(isolation_level="REPEATABLE READ")
    async with steady.connect() as live:
        positions = await select_positions(live, site.projection.subscription.name)
        wanted = await _sample(live, site.projection, sample)
        site.tell("sampled", {"customers": len(wanted)})
        await _take_along(site, positions, wanted)
        await reach(site, site.projection.check, positions, _only(site.projection, wanted))
        report = await _compare(site, live, positions, wanted)
    return {**report, "sample": sample}


async def _compare(
    site: Site, live: AsyncConnection, positions: Positions, only: Collection[str] | None
) -> Report:
    engine = create_patient_engine(site.settings, site.projection.check)
    async with engine.connect() as other:
        return told(await compare(live, other, site.projection.parts, only), positions)


async def _sample(live: AsyncConnection, projection: Projection, size: int) -> set[str]:
    key = projection.parts[0].key
    query = select(key).where(key.is_not(None)).distinct().subquery()
    chosen = select(query).order_by(func.random()).limit(size)
    return {str(subject) for subject in (await live.execute(chosen)).scalars()}


async def _take_along(site: Site, until: Positions, wanted: set[str]) -> None:
    """Adds everybody whom the log links with one of them, directly or through others."""
    for number in range(_MOST_PASSES):
        before = len(wanted)
        await reach(site, site.projection.check, until, _linked(site.projection, wanted, number))
        if len(wanted) == before:
            return


def _linked(projection: Projection, wanted: set[str], number: int) -> Subscription:
    async def collect(_: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        for record in batch:
            subjects = projection.subjects(record)
            if len(subjects) > 1 and not wanted.isdisjoint(subjects):
                wanted.update(subjects)
        return ()

    name = f"{projection.subscription.name}:links:{number}"
    return replace(projection.subscription, name=name, apply=collect, fresh=_all)


async def _all(_: AsyncConnection, batch: Sequence[Record]) -> Sifted:
    return Sifted(batch)


def _only(projection: Projection, wanted: Collection[str]) -> Subscription:
    """The same subscription, blind for everybody else."""
    subscription = projection.subscription
    sift = subscription.fresh or partial(inbox.fresh, subscription.name)

    async def fresh(tx: AsyncConnection, batch: Sequence[Record]) -> Sifted:
        return await sift(tx, [it for it in batch if _is_about(projection, it, wanted)])

    return replace(subscription, fresh=fresh)


def _is_about(projection: Projection, record: Record, wanted: Collection[str]) -> bool:
    return any(subject in wanted for subject in projection.subjects(record))
