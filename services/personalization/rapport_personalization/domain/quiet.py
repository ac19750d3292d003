"""When a person may be written to: never in the night of where they live (kpis.md 6.3)."""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from rapport_personalization.domain.policies import QuietHours

_A_DAY: Final = timedelta(days=1)
_CLOCK: Final = r"(?:[01]\d|2[0-3]):[0-5]\d"
_HOURS: Final = re.compile(rf"({_CLOCK})-({_CLOCK})", re.ASCII)


@lru_cache(maxsize=1_024)
def zone(name: str | None, otherwise: str) -> ZoneInfo:
    """The IANA zone of that name; the deployment's where it is none. Never UTC unsaid."""
    return _known(name) or _known(otherwise) or ZoneInfo("UTC")


def is_zone(name: str) -> bool:
    return _known(name) is not None


def next_allowed(at: datetime, where: ZoneInfo, hours: QuietHours) -> datetime:
    """`at` itself, or the end of the quiet hours that it lies in. In UTC."""
    if hours.start == hours.end:
        return at
    local = at.astimezone(where)
    clock = time(local.hour, local.minute)
    if not _is_quiet(clock, hours):
        return at
    day = local.date() if clock < hours.end else local.date() + _A_DAY
    return _first(day, hours.end, where, at)


def local_instant(day: date, clock: time, where: ZoneInfo) -> datetime:
    """That wall time in UTC: of two the first; one that DST skips lies an hour later."""
    # In a gap, fold = 0 reckons with the offset of before, which leads past it.
    return datetime.combine(day, clock, where).astimezone(UTC)


@lru_cache(maxsize=1_024)
def parsed(text: str | None) -> QuietHours | None:
    """`21:00-08:00`; None for anything else, a time with a zone of its own among it."""
    found = _HOURS.fullmatch(text or "")
    if found is None:
        return None
    return QuietHours(time.fromisoformat(found[1]), time.fromisoformat(found[2]))


def _is_quiet(clock: time, hours: QuietHours) -> bool:
    if hours.start <= hours.end:
        return hours.start <= clock < hours.end
    return clock >= hours.start or clock < hours.end


def _first(day: date, clock: time, where: ZoneInfo, after: datetime) -> datetime:
    """The first time that the clock shows this, later than an instant in its quiet hours."""
    for when in (day, day + _A_DAY):
        wall = datetime.combine(when, clock, where)
        for found in (wall, wall.replace(fold=1)):
            instant = found.astimezone(UTC)
            if instant > after:
                return instant
    return after


@lru_cache(maxsize=1_024)
def _known(name: str | None) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
