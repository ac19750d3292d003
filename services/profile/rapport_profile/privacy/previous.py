"""The version that a rebuild replaced forgets erased people, too."""

from collections.abc import Mapping

import structlog
from rapport_runtime.database import driver
from rapport_runtime.rebuild import schemas
from rapport_runtime.rebuild.schemas import OtherShapeError
from rapport_runtime.settings import Settings
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_profile.domain.claims import Erasure
from rapport_profile.projection import projection
from rapport_profile.purge import purge

_log = structlog.get_logger(__name__)


async def purge_previous(
    engine: AsyncEngine, settings: Settings, erased: Mapping[str, Erasure]
) -> None:
    """Deletes what the previous version keeps of these subjects; a second time changes nothing.

    A version that a migration has left behind cannot be rolled back to: it is dropped instead.
    """
    kept = projection(settings)
    async with engine.begin() as tx:
        if not await schemas.exists(tx, kept.previous):
            return
        try:
            await schemas.require_same_shape(tx, kept, kept.previous)
        except OtherShapeError:
            await schemas.drop(tx, kept.previous)
            _log.warning("previous version dropped", reason="a migration has come since")
            return
        await tx.execute(text(f"SET LOCAL search_path TO {kept.previous}"))
        await purge(await driver(tx), erased)
