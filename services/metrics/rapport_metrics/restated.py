"""Which published days have changed since."""

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from typing import Final

from rapport_runtime.pool import Snapshot

from rapport_metrics.domain.catalogue import Kpi
from rapport_metrics.question import Question, Window

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_DAY: Final = timedelta(days=1)

_DAYS: Final = """
SELECT DISTINCT day FROM restatement
WHERE metric = ANY($1::text[]) AND day >= $2::date AND day <= $3::date
"""


async def load_restated(snap: Snapshot, question: Question) -> set[datetime]:
    """The beginnings of those UTC days of the windows that changed after they were published.

    Of a level all days before the end: what one of them added is in every later window.
    What is counted when asked was never published.
    """
    if question.is_recounted:
        return set()
    start, end = question.windows[0][0], question.windows[-1][1]
    since = _BEGINNING if question.kpi.shape == "level" else start
    metrics = sorted(name + question.suffix for name in question.kpi.metrics)
    rows = await snap.fetch(_DAYS, metrics, since.date(), end.date())
    return {datetime.combine(row[0], time(0), UTC) for row in rows}


def is_restated(kpi: Kpi, window: Window, days: Collection[datetime]) -> bool | None:
    """Whether any of the days, which changed after they were published, is in the window's number.

    A level at the end of a window is what all days before it came to. None of KPIs of persons: what
    they said before is not kept, so nobody knows.
    """
    if kpi.shape == "persons":
        return None
    start, end = window
    if kpi.shape == "level":
        return any(day < end for day in days)
    return any(day < end and start < day + _ONE_DAY for day in days)
