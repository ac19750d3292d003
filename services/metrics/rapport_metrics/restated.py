"""Which published days have changed since."""

from datetime import UTC, datetime, time
from typing import Final

from rapport_runtime.pool import Snapshot

from rapport_metrics.domain.catalogue import Kpi

_DAYS: Final = """
SELECT DISTINCT day FROM restatement
WHERE metric = ANY($1::text[]) AND day >= $2::date AND day <= $3::date
"""


async def load_restated(snap: Snapshot, kpi: Kpi, start: datetime, end: datetime) -> set[datetime]:
    """The beginnings of those UTC days of [start, end) that changed after they were published."""
    rows = await snap.fetch(_DAYS, sorted(kpi.metrics), start.date(), end.date())
    return {datetime.combine(row[0], time(0), UTC) for row in rows}
