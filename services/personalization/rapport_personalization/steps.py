"""Remembers since when each version of a trigger has been in which state."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from rapport_runtime.database import driver
from rapport_runtime.pool import Reads
from sqlalchemy.ext.asyncio import AsyncConnection

_NOTE: Final = """
INSERT INTO trigger_step (trigger, version, state)
SELECT known.trigger, known.version, known.state FROM trigger_version AS known
WHERE known.trigger = ANY($1::text[]) AND known.state <> 'draft' AND known.state IS DISTINCT FROM (
    SELECT said.state FROM trigger_step AS said
    WHERE said.trigger = known.trigger AND said.version = known.version
    ORDER BY said.id DESC LIMIT 1
)
ORDER BY known.trigger, known.version
"""

_OF: Final = """
SELECT state, at FROM trigger_step WHERE trigger = $1 AND version = $2 ORDER BY id
"""

_IN_FORCE: Final = frozenset({"live", "shadow"})


class Step(NamedTuple):
    """The state of a version, and since when."""

    state: str
    at: datetime


async def note(tx: AsyncConnection, triggers: Collection[str]) -> None:
    """After a change of their versions, in the same transaction."""
    await (await driver(tx)).execute(_NOTE, list(triggers))


async def load(reads: Reads, trigger: str, version: int) -> list[Step]:
    """In order; none for a draft."""
    return [Step(*row) for row in await reads.fetch(_OF, trigger, version)]


def in_force_since(steps: Sequence[Step], start: datetime, end: datetime) -> Step | None:
    """The step that put the version in force, if it was so throughout [start, end).

    A version that goes from shadow to live in between has decided all the time.
    """
    began: Step | None = None
    for step in steps:
        if step.at >= end:
            break
        if step.state not in _IN_FORCE:
            began = None
        elif began is None:
            began = step
    return began if began is not None and began.at <= start else None
