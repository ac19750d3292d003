"""When nobody is disturbed, in their own time zone."""

import re
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple

_WISH: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


class Quiet(NamedTuple):
    """From and until, in local time; the same twice: never."""

    start: time
    end: time

    def covers(self, local: time) -> bool:
        if self.start <= self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end


def wished(text: str | None, otherwise: Quiet) -> Quiet:
    """What somebody asked for (`21:00-08:00`), or what holds for all."""
    found = _WISH.fullmatch(text) if text is not None else None
    if found is None:
        return otherwise
    start_hour, start_minute, end_hour, end_minute = map(int, found.groups())
    return Quiet(time(start_hour, start_minute), time(end_hour, end_minute))


def next_allowed(at: datetime, zone: tzinfo, quiet: Quiet) -> datetime:
    """The same instant, or the end of the quiet hours that it is in; in UTC.

    A wall time that there is twice is its first instant, unless that is over; one that daylight
    saving skips is as much later as is skipped.
    """
    if quiet.start == quiet.end:
        return at.astimezone(UTC)
    local = at.astimezone(zone)
    if not quiet.covers(local.time().replace(second=0, microsecond=0)):
        return at.astimezone(UTC)
    day = local.date() if local.time() < quiet.end else local.date() + timedelta(days=1)
    wall = datetime.combine(day, quiet.end, tzinfo=zone)
    first = wall.astimezone(UTC)
    return first if first > at else wall.replace(fold=1).astimezone(UTC)
