"""Which published days have changed since."""

from datetime import UTC, datetime, time
from typing import Final

from rapport_runtime.pool import Snapshot

from rapport_metrics.question import Question

_DAYS: Final = """
SELECT DISTINCT day FROM restatement
WHERE metric = ANY($1::text[]) AND day >= $2::date AND day <= $3::date
"""


async def load_restated(
    snap: Snapshot, question: Question, start: datetime, end: datetime
) -> set[datetime]:
    """The beginnings of those UTC days of [start, end) that changed after they were published.

    What is counted when asked was never published.
    """
    if question.is_recounted:
        return set()
    metrics = sorted(name + question.suffix for name in question.kpi.metrics)
    rows = await snap.fetch(_DAYS, metrics, start.date(), end.date())
    return {datetime.combine(row[0], time(0), UTC) for row in rows}
