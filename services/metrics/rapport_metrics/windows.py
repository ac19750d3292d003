"""Windows of the reporting calendar: hours, days, ISO weeks and months of one zone."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rapport_metrics.domain.instants import instant
from rapport_metrics.domain.outcome import MINUTE

Grain = Literal["hour", "day", "week", "month"]

MOST: Final = 1_500
"""Windows in one answer: four years of days, two months of hours."""


class TooManyWindowsError(ValueError):
    """The span has more windows of this grain than one answer holds."""


def require_zone(name: str) -> str:
    """The name, when it is a zone whose days begin with an hour of UTC. Raises ValueError."""
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("there is no such time zone; give an IANA name") from None
    for month in (1, 7):
        offset = datetime(2026, month, 1, tzinfo=zone).utcoffset() or timedelta()
        if offset % timedelta(hours=1):
            raise ValueError("totals are kept by the hour of UTC: its days begin within one")
    return name


def minute(at: datetime) -> int:
    """Whole minutes since 1970, rounded down."""
    return instant(at) // MINUTE


def starts(
    start: datetime, end: datetime, grain: Grain | None, zone: ZoneInfo
) -> Sequence[datetime]:
    """The beginnings of the windows of [start, end), in UTC; the first is `start` itself.

    Windows are those of the calendar, so the first and the last may be cut. Without a grain there
    is one. Raises TooManyWindowsError.
    """
    found = [start.astimezone(UTC)]
    if grain is None:
        return found
    following = _next(_floor(start.astimezone(zone), grain), grain, zone)
    while following < end:
        found.append(following.astimezone(UTC))
        if len(found) > MOST:
            raise TooManyWindowsError
        following = _next(following, grain, zone)
    return found


def _floor(at: datetime, grain: Grain) -> datetime:
    if grain == "hour":
        return at.replace(minute=0, second=0, microsecond=0)
    day = datetime.combine(at.date(), time(0), at.tzinfo)
    if grain == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if grain == "month" else day


def _next(at: datetime, grain: Grain, zone: ZoneInfo) -> datetime:
    """Hours go by the clock of the world, days by that of the wall: 23 or 25 hours long, some."""
    match grain:
        case "hour":
            return (at.astimezone(UTC) + timedelta(hours=1)).astimezone(zone)
        case "day":
            return at + timedelta(days=1)
        case "week":
            return at + timedelta(weeks=1)
        case "month":
            return at.replace(year=at.year + at.month // 12, month=at.month % 12 + 1)
