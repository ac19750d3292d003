"""When an event happened, by the publisher's clock as far as that can be trusted."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

MAX_AHEAD: Final = timedelta(minutes=5)
"""What lies further in the future is taken to have happened on arrival."""
EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)

_SECONDS_END: Final = 100_000_000_000
"""A smaller number is seconds since 1970 (until the year 5138), a greater one milliseconds."""
_RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


class BadTimeError(ValueError):
    """What the publisher sent as a time is none."""

    code = "bad_time"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Reading(NamedTuple):
    """A time, and how it came about."""

    occurred: datetime
    """Aware, UTC."""
    said: str | None
    """The publisher's own words, as text."""
    clock: dict[str, Any]
    """For `data.context.clock`: `original`, `sent`, `received`, and `clamped` when it was."""


def read_clock(original: object, sent: object, received: datetime) -> Reading:
    """The time of an event from an SDK: `received - (sent - original)`.

    The publisher's clock may be wrong, but both of its readings are wrong by the same. Naive
    times are UTC, numbers are seconds or milliseconds since 1970. No time: that of arrival.
    Raises `BadTimeError` for a time that cannot be read; an unreadable `sent` corrects nothing.
    """
    sent_at = _sent_at(sent)
    said_sent = None if sent_at is None else _said(sent)
    if original is None or original == "":
        return Reading(received, None, _clock(None, said_sent, received))
    occurred = _instant(original)
    clock = _clock(_said(original), said_sent, received)
    if sent_at is not None:
        occurred = _corrected(occurred, received - sent_at)
    return _clamped(occurred, clock, received)


def read_strictly(original: object, received: datetime) -> Reading:
    """The time of a CloudEvent: RFC 3339 with an offset, taken as it is.

    Raises `BadTimeError` for anything else; without a time the event happened on arrival.
    """
    if original is None:
        return Reading(received, None, _clock(None, None, received))
    if not isinstance(original, str) or not _RFC_3339.fullmatch(original):
        raise BadTimeError("time is not RFC 3339 with an offset, such as 2026-11-01T12:00:00Z")
    return _clamped(_instant(original.upper()), _clock(original, None, received), received)


@lru_cache(maxsize=256)
def rfc3339(instant: datetime) -> str:
    """UTC with milliseconds: `2026-11-01T12:00:00.000Z`. Cached: a batch has one arrival."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _clamped(occurred: datetime, clock: dict[str, Any], received: datetime) -> Reading:
    said = clock.get("original")
    if occurred - received > MAX_AHEAD:
        return Reading(received, said, {**clock, "clamped": True})
    return Reading(occurred, said, clock)


def _corrected(occurred: datetime, late: timedelta) -> datetime:
    corrected = occurred + late
    return corrected if EARLIEST <= corrected < LATEST else occurred


def _sent_at(sent: object) -> datetime | None:
    if isinstance(sent, str | int | float):
        return _readable_sent(sent)
    return None


@lru_cache(maxsize=64, typed=True)
def _readable_sent(sent: str | float) -> datetime | None:
    """Cached: a batch was sent at one time."""
    try:
        return _instant(sent)
    except BadTimeError:
        return None


def _instant(value: object) -> datetime:
    try:
        instant = _read(value)
    except (ValueError, OverflowError, OSError):
        instant = None
    if instant is None:
        raise BadTimeError("the time is no ISO 8601 date and time, nor a number since 1970")
    if not EARLIEST <= instant < LATEST:
        raise BadTimeError("the time lies before 1900 or after 2099")
    return instant


def _read(value: object) -> datetime | None:
    if isinstance(value, str):
        # Any character may part date from time, and the text is kept: no NUL, no surrogate.
        if not (value.isascii() and value.isprintable()):
            return None
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            return instant.replace(tzinfo=UTC)
        return instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    seconds = value if abs(value) < _SECONDS_END else value / 1000
    return datetime.fromtimestamp(seconds, UTC)


def _said(value: object) -> str | None:
    """The publisher's words; what is no word for a time (an object, a list) is not repeated."""
    if isinstance(value, str):
        return value[:64] or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value)


def _clock(original: str | None, sent: str | None, received: datetime) -> dict[str, Any]:
    clock: dict[str, Any] = {"received": rfc3339(received)}
    if original is not None:
        clock["original"] = original
    if sent is not None:
        clock["sent"] = sent
    return clock
