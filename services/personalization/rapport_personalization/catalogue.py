"""Puts the documents of a folder live: those that ship, or those of this deployment."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

import structlog
from rapport_runtime.database import driver
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rapport_personalization import steps
from rapport_personalization.documents import FOLDER, read_folder
from rapport_personalization.schemas.trigger import TriggerDocument

BY_FILES: Final = "files"

LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('rapport.triggers'))"

_NEWEST: Final = """
SELECT DISTINCT ON (trigger) trigger, version, state, source, created_by, since
FROM trigger_version ORDER BY trigger, version DESC
"""

_RETIRE: Final = """
UPDATE trigger_version SET state = 'retired', changed_at = now(), changed_by = $2
WHERE trigger = $1 AND state IN ('live', 'shadow')
"""

_ADD: Final = """
INSERT INTO trigger_version (trigger, version, state, document, source, created_by, since)
VALUES ($1, $2, 'live', $3, $4, $5, coalesce($6, now()))
"""

log = structlog.get_logger(__name__)


async def install(
    engine: AsyncEngine, folder: Path | None, templates: Collection[str] | None = None
) -> int:
    """How many versions went live. What was changed or paused by hand stays as it is.

    `templates`: those that there are; None: they are not looked at.
    Raises InvalidTriggerError: a worker must not start with half of its triggers.
    """
    written = [(one, text) for one, _, text in read_folder(folder or FOLDER, templates)]
    async with engine.begin() as tx:
        added = await _install(tx, written)
    if added:
        log.info("triggers installed", count=added)
    return added


async def _install(tx: AsyncConnection, written: Sequence[tuple[TriggerDocument, str]]) -> int:
    connection = await driver(tx)
    await connection.execute(LOCK)
    newest = {row["trigger"]: row for row in await connection.fetch(_NEWEST)}
    added = 0
    for document, source in written:
        known = newest.get(document.id)
        if known is not None and (
            known["source"] == source or known["created_by"] != BY_FILES or known["state"] != "live"
        ):
            continue
        await connection.execute(_RETIRE, document.id, BY_FILES)
        # Who changes a document does not mean to miss what has happened and is told later.
        since = None if known is None else known["since"]
        version = 1 if known is None else known["version"] + 1
        text = document.model_dump_json(by_alias=True)
        await connection.execute(_ADD, document.id, version, text, source, BY_FILES, since)
        added += 1
    await steps.note(tx, [document.id for document, _ in written])
    return added
