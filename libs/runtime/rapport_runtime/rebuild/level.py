"""Bringing another version level with the live one: to the same offset in every partition.

Never further. What an event lets follow is published once, by the live version, when it applies
that event; a version that had gone further would swallow what follows from the events between.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from rapport_runtime.contract import HaltedError, Resources, Subscription
from rapport_runtime.database import create_engine
from rapport_runtime.metrics import Metrics
from rapport_runtime.progress import Positions, Progress, read_positions, select_positions
from rapport_runtime.rebuild.projection import Site
from rapport_runtime.settings import Settings
from rapport_runtime.subscription import run_subscription

NEARLY_LEVEL: Final = 5_000
"""Events that the last round may leave: fractions of a second."""

_MOST_ROUNDS: Final = 50
_TELL_SECONDS: Final = 1.0
_LOCK_SECONDS: Final = 5.0
_ASK_AGAIN_SECONDS: Final = 0.1

_LOCK: Final = text("SELECT pg_try_advisory_lock(hashtext('rapport.rebuild'), hashtext(:name))")
_UNLOCK: Final = text("SELECT pg_advisory_unlock(hashtext('rapport.rebuild'), hashtext(:name))")


class BusyError(HaltedError):
    """Another rebuild or verification of this projection is at work."""

    code = "rebuild_busy"

    def __init__(self, projector: str) -> None:
        super().__init__(f"another rebuild or verification of {projector} is at work")


class NeverLevelError(HaltedError):
    """The live version applies events faster than another one can follow."""

    code = "never_level"

    def __init__(self, behind: int) -> None:
        super().__init__(f"still {behind} events behind the live version: try when less comes in")


@asynccontextmanager
async def alone(site: Site) -> AsyncIterator[None]:
    """Keep other rebuilds of the projection out. Raises BusyError."""
    projector = site.projection.subscription.name
    lasting = site.engine.execution_options(isolation_level="AUTOCOMMIT")
    async with lasting.connect() as connection:
        # The database may take a moment to notice that one who was killed is gone.
        deadline = monotonic() + _LOCK_SECONDS
        while not await connection.scalar(_LOCK, {"name": projector}):
            if monotonic() > deadline:
                raise BusyError(projector)
            await asyncio.sleep(_ASK_AGAIN_SECONDS)
        try:
            yield
        finally:
            # A connection that was lost holds nothing any more.
            with suppress(DBAPIError):
                await connection.execute(_UNLOCK, {"name": projector})


async def follow(site: Site, schema: str) -> None:
    """Bring a version nearly level with the live one, which goes on meanwhile."""
    projector = site.projection.subscription.name
    behind = 0
    for _ in range(_MOST_ROUNDS):
        live = await read_positions(site.engine, projector)
        await reach(site, schema, live)
        behind = lag(await read_positions(site.engine, projector), live)
        if behind <= NEARLY_LEVEL:
            return
    raise NeverLevelError(behind)


async def reach(
    site: Site, schema: str, until: Positions, subscription: Subscription | None = None
) -> None:
    """Apply everything before `until` to the version in `schema`, and nothing else; emit nothing.

    Raises HaltedError when the log cannot be read.
    """
    wanted = subscription or site.projection.subscription
    settings = _without_limits(site.settings)
    engine = create_engine(settings, schema)
    resources = Resources(settings=settings, engine=engine, metrics=Metrics("rebuild"), emit=False)
    telling = asyncio.create_task(_tell(site, wanted.name, resources.progress, until))
    try:
        if await read_positions(engine, wanted.name) != until:
            await run_subscription(wanted, resources, until=until)
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        await engine.dispose()


def lag(ahead: Positions, behind: Positions) -> int:
    """How many offsets lie between."""
    return sum(max(0, offset - behind.get(place, 0)) for place, offset in ahead.items())


async def positions_in(site: Site, schema: str) -> Positions:
    """How far the version in `schema` is."""
    async with site.engine.connect() as connection:
        await connection.execute(text(f"SET LOCAL search_path = {schema}"))
        return await select_positions(connection, site.projection.subscription.name)


async def _tell(site: Site, projector: str, progress: Progress, until: Positions) -> None:
    total = sum(until.values())
    while True:
        await asyncio.sleep(_TELL_SECONDS)
        at = sum(progress.positions(projector).values())
        if at:
            site.tell("applying", {"applied": at, "of": total})


def _without_limits(settings: Settings) -> Settings:
    """What the live version had to park, and an operator has let pass, must not stop us here."""
    worker = settings.worker.model_copy(update={"park_run": 1 << 62, "park_share": 1.0})
    return settings.model_copy(update={"worker": worker})
