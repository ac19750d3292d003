"""When a message is tried again (the schedule of Standard Webhooks)."""

from typing import Final

_MINUTE: Final = 60.0
_HOUR: Final = 3_600.0

DELAYS: Final = (
    5.0,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
"""After the first, the second … attempt."""

_SPREAD: Final = 0.2
_MOST: Final = 24 * _HOUR
"""Whoever asks us to wait for longer is not believed."""


def delay_after(attempt: int, asked: float | None, dice: float) -> float | None:
    """Seconds until the next attempt; None when this one was the last.

    `asked`: what the other side wants (Retry-After). `dice`: 0 to 1, so that what failed at once
    does not come again at once.
    """
    if attempt > len(DELAYS):
        return None
    spread = DELAYS[attempt - 1] * (1 + _SPREAD * dice)
    return max(spread, min(asked or 0.0, _MOST))
