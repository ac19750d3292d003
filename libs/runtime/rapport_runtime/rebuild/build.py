"""Building the next version of a projection beside the live one, and putting it in its place."""

from time import monotonic
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_runtime.contract import HaltedError
from rapport_runtime.database import create_patient_engine
from rapport_runtime.failpoint import failpoint
from rapport_runtime.progress import Positions, select_positions
from rapport_runtime.rebuild import builds, schemas
from rapport_runtime.rebuild.builds import Build
from rapport_runtime.rebuild.digests import Comparison, compare
from rapport_runtime.rebuild.level import alone, follow, reach
from rapport_runtime.rebuild.projection import Site
from rapport_runtime.rebuild.promotion import exchange_versions

Report = dict[str, Any]


class NothingToRollBackError(HaltedError):
    """There is no previous version."""

    code = "no_previous_version"

    def __init__(self) -> None:
        super().__init__("no rebuild was promoted, or it was rolled back, or another has begun")


async def rebuild(site: Site, *, promote: bool = True, force: bool = False) -> Report:
    """Build the next version, compare it, and promote it when it is equal to the live one.

    With `force` also when it differs. A build that was interrupted is carried on. Raises
    HaltedError when it cannot be done.
    """
    async with alone(site):
        build = await _begin(site)
        began_at = monotonic()
        await follow(site, site.projection.next)
        failpoint("after_build")
        found, positions = await _compare(site)
        equal = not any(found.differing.values())
        report = {**told(found, positions), "build": build, "seconds": _since(began_at)}
        async with site.engine.begin() as connection:
            await builds.note(connection, build, builds.BUILT, report)
        site.tell("compared", {"differing": report["differing"]})
        failpoint("after_compare")
        if not promote or not (equal or force):
            return {**report, "status": builds.BUILT}

        async def finish(connection: AsyncConnection) -> None:
            await schemas.rename(connection, site.projection.next, site.projection.previous)
            await builds.note(connection, build, builds.PROMOTED)

        await exchange_versions(site, site.projection.next, finish)
        return {**report, "status": builds.PROMOTED}


async def roll_back(site: Site) -> Report:
    """Make the previous version live again, after it has caught up. Raises HaltedError."""
    projector, previous = site.projection.subscription.name, site.projection.previous
    async with alone(site):
        async with site.engine.connect() as connection:
            build = await builds.promoted(connection, projector)
            if build is None or not await schemas.exists(connection, previous):
                raise NothingToRollBackError
        undone = build.id

        async def finish(connection: AsyncConnection) -> None:
            await builds.note(connection, undone, builds.ROLLED_BACK)

        await exchange_versions(site, previous, finish)
    return {"build": undone, "status": builds.ROLLED_BACK}


async def list_builds(site: Site) -> list[Build]:
    """Rebuilds of the projection, newest first."""
    async with site.engine.connect() as connection:
        return await builds.newest(connection, site.projection.subscription.name)


def told(found: Comparison, positions: Positions) -> Report:
    """A comparison as reports show it: subjects and counts, nothing personal."""
    return {
        "offsets": {f"{topic}/{number}": at for (topic, number), at in sorted(positions.items())},
        "compared": found.keys,
        "differing": sum(found.differing.values()),
        "differing_parts": {part: number for part, number in found.differing.items() if number},
        "differences": [difference._asdict() for difference in found.listed],
    }


async def _begin(site: Site) -> int:
    """The build to work on: the one that was interrupted, or a new one."""
    projection = site.projection
    async with site.engine.begin() as connection:
        known = await builds.unfinished(connection, projection.subscription.name)
        if known is not None and await _usable(site, connection):
            site.tell("resuming", {"build": known.id})
            return known.id
        return await _begin_anew(site, connection, known)


async def _usable(site: Site, connection: AsyncConnection) -> bool:
    if not await schemas.exists(connection, site.projection.next):
        return False
    try:
        await schemas.require_same_shape(connection, site.projection, site.projection.next)
    except schemas.OtherShapeError:
        return False
    return True


async def _begin_anew(site: Site, connection: AsyncConnection, known: Build | None) -> int:
    projection = site.projection
    if known is not None:
        await builds.note(connection, known.id, builds.ABANDONED)
    for schema in (projection.next, projection.previous):
        await schemas.drop(connection, schema)
    await schemas.create(connection, projection, projection.next)
    await schemas.require_same_shape(connection, projection, projection.next)
    build = await builds.start(connection, projection.subscription.name)
    site.tell("building", {"build": build})
    return build


async def _compare(site: Site) -> tuple[Comparison, Positions]:
    """Both versions at the same offsets, those of a snapshot of the live one."""
    projection = site.projection
    steady = site.engine.execution_options(isolation_level="REPEATABLE READ")
    engine = create_patient_engine(site.settings, projection.next)
    async with steady.connect() as live, engine.connect() as other:
        positions = await select_positions(live, projection.subscription.name)
        await reach(site, projection.next, positions)
        site.tell("comparing", {})
        await schemas.analyze(other, projection, projection.next)
        return await compare(live, other, projection.parts), positions


def _since(began_at: float) -> float:
    return round(monotonic() - began_at, 1)
