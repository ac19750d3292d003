"""How much time counts between two instants: all of it, or business hours.

A weekly calendar in one zone, with holidays. Source: kpis.md 2.10; clock changes are those of the
zone: an hour that a night skips is not worked, and one that it repeats is worked twice.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from rapport_metrics.domain.instants import SECOND, instant, moment

_ONE_DAY: Final = timedelta(days=1)
_MOST_DAYS: Final = 3_660
"""Ten years: a calendar without a working hour must not be searched for ever."""

Span = tuple[time, time]
"""From and until, local time. Until 00:00 is the end of the day."""


class Calendar(msgspec.Struct, frozen=True):
    """`hours`: ISO weekday (1 is Monday) to that day's spans, in order, without overlap."""

    zone: str
    hours: Mapping[int, tuple[Span, ...]]
    holidays: frozenset[date] = frozenset()

    def spans(self, day: date) -> list[tuple[int, int]]:
        """The working spans of a local day, as instants."""
        if day in self.holidays:
            return []
        zone = ZoneInfo(self.zone)
        return [
            (
                _instant(day, start, zone),
                _instant(day if end > start else day + _ONE_DAY, end, zone),
            )
            for start, end in self.hours.get(day.isoweekday(), ())
        ]


def worked_seconds(calendar: Calendar | None, start: int, end: int) -> int:
    """Seconds that count in [start, end), whole, rounded down; 0 when it ends before it starts."""
    if calendar is None:
        return max(0, end - start) // SECOND
    zone, worked = ZoneInfo(calendar.zone), 0
    day = moment(start).astimezone(zone).date()
    while _instant(day, time(0), zone) < end:
        for opens, closes in calendar.spans(day):
            worked += max(0, min(end, closes) - max(start, opens))
        day += _ONE_DAY
    return worked // SECOND


def due_at(calendar: Calendar | None, start: int, seconds: int) -> int | None:
    """The instant by which so many seconds have counted since `start`.

    None when the calendar has not that many in ten years.
    """
    if calendar is None or seconds == 0:
        return start + seconds * SECOND
    left = seconds * SECOND
    day = moment(start).astimezone(ZoneInfo(calendar.zone)).date()
    for _ in range(_MOST_DAYS):
        for opens, closes in calendar.spans(day):
            usable = max(0, closes - max(start, opens))
            if usable >= left > 0:
                return max(start, opens) + left
            left -= usable
        day += _ONE_DAY
    return None


def _instant(day: date, at: time, zone: ZoneInfo) -> int:
    return instant(datetime.combine(day, at, zone).astimezone(UTC))
