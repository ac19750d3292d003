"""Days, weeks and months of UTC, for trends."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

Grain = Literal["day", "week", "month"]

MOST: Final = 800
"""Windows in one answer: two years of days."""

_MONTHS: Final = 12


def start_of(at: datetime, grain: Grain) -> datetime:
    """Of the window that an instant lies in; weeks begin on Monday."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if grain == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if grain == "month" else day


def next_start(start: datetime, grain: Grain) -> datetime:
    if grain == "month":
        year, month = divmod(start.year * _MONTHS + start.month, _MONTHS)
        return start.replace(year=year, month=month + 1)
    return start + timedelta(days=7 if grain == "week" else 1)


def starts(first: datetime, end: datetime, grain: Grain) -> Iterator[datetime]:
    """Of all windows that [first, end) touches."""
    start = start_of(first, grain)
    while start < end:
        yield start
        start = next_start(start, grain)
