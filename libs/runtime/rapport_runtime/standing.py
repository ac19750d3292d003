"""How far a projection is, as its own tables say."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from rapport_runtime.pool import Reads

_SILENT: Final = timedelta(seconds=15)
"""An idle worker says every 5 s that it is level."""

_POSITIONS: Final = """
SELECT topic, partition, next_offset, high_watermark, recorded_at, updated_at
FROM projector_offset WHERE projector = $1 ORDER BY topic, partition
"""

_PARKED: Final = """
SELECT topic, count(*) FROM parked_event WHERE projector = $1 AND settled_at IS NULL GROUP BY topic
"""


class Progressed(NamedTuple):
    """How far a projection is in one partition."""

    topic: str
    partition: int
    next_offset: int
    high_watermark: int
    recorded_at: datetime | None
    updated_at: datetime


async def load_progress(snap: Reads, projector: str) -> Sequence[Progressed]:
    return [Progressed(*row) for row in await snap.fetch(_POSITIONS, projector)]


async def count_parked(snap: Reads, projector: str) -> dict[str, int]:
    """Topic to the number of its events that wait in `parked_event`."""
    return dict(await snap.fetch(_PARKED, projector))


def lag_ms(progressed: Progressed, now: datetime) -> int:
    """How far the projection of a partition is behind what happened, as far as anybody knows.

    Events wait: the age of the last one that was applied. None wait, but no worker has said
    so for a while: the age of its last word, for nobody knows what has come since.
    """
    if progressed.high_watermark > progressed.next_offset:
        since = progressed.recorded_at or progressed.updated_at
    elif now - progressed.updated_at > _SILENT:
        since = progressed.updated_at
    else:
        return 0
    return max(0, (now - since) // timedelta(milliseconds=1))
