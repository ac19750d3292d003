"""How much time counts between two instants: all of it, or business hours.

A weekly calendar in one zone, with holidays. Source: kpis.md 2.10; clock changes are those of the
zone: a minute is worked if the clocks then show working hours. What a night skips is not worked,
and what it repeats is worked twice.
"""

from bisect import bisect
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from rapport_metrics.domain.instants import DAY, SECOND, instant, moment

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
        """The working spans of a local day, as instants, in order."""
        hours = () if day in self.holidays else self.hours.get(day.isoweekday(), ())
        if not hours:
            return []
        midnight, found = _on_the_wall(day), []
        for since, until, ahead in _unchanged(day, ZoneInfo(self.zone)):
            for start, end in hours:
                opens = midnight + _since_midnight(start) - ahead
                closes = midnight + (_since_midnight(end) or DAY) - ahead
                if max(since, opens) < min(until, closes):
                    found.append((max(since, opens), min(until, closes)))
        return found


def worked_seconds(calendar: Calendar | None, start: int, end: int) -> int:
    """Seconds that count in [start, end), whole, rounded down; 0 when it ends before it starts."""
    if calendar is None:
        return max(0, end - start) // SECOND
    zone, worked = ZoneInfo(calendar.zone), 0
    day, last = (moment(at).astimezone(zone).date() for at in (start, end))
    while day <= last:
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


@lru_cache(_MOST_DAYS)  # Else it would be most of the work.
def _unchanged(day: date, zone: ZoneInfo) -> tuple[tuple[int, int, int], ...]:
    """The stretches of a local day between changes of its clocks: from, until, ahead of UTC.

    Those at its ends may reach beyond the day, but no instant of it is in none.
    """
    edges = [datetime.combine(one, time(0), zone) for one in (day, day + _ONE_DAY)]
    offsets = [_ahead(edge.replace(fold=fold)) for edge in edges for fold in (0, 1)]
    since, until = _on_the_wall(day) - max(offsets), _on_the_wall(day) + DAY - min(offsets)
    before, after = _ahead_at(since, zone), _ahead_at(until, zone)
    if before == after:
        return ((since, until, after),)
    seconds = range(since, until, SECOND)
    change = since + SECOND * bisect(seconds, 0, key=lambda at: _ahead_at(at, zone) != before)
    return (since, change, before), (change, until, after)


def _on_the_wall(day: date) -> int:
    """Midnight as if the clocks of the zone were those of UTC."""
    return instant(datetime.combine(day, time(0), UTC))


def _since_midnight(at: time) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * SECOND + at.microsecond


def _ahead_at(at: int, zone: ZoneInfo) -> int:
    return _ahead(moment(at).astimezone(zone))


def _ahead(local: datetime) -> int:
    return (local.utcoffset() or timedelta()) // timedelta(microseconds=1)
