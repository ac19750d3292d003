"""Who buys, who comes back, who leaves (kpis.md 2.15, 2.16). Per person, so exact and revocable.

`purchases`: the person's valid orders, as instants in ascending order.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, NamedTuple

from rapport_metrics.domain.instants import DAY

CHURN_WINDOW: Final = 90 * DAY
_REPEAT: Final = 2


class Buying(NamedTuple):
    """What one person adds to the buyers of a window [start, end)."""

    orders: int
    repeated: bool
    """Two or more valid orders in the window."""
    returning: bool
    """Two or more valid orders before its end."""


class Retention(NamedTuple):
    """Where one person stands at the two ends of [start, end)."""

    at_start: bool
    at_end: bool
    is_new: bool
    """Active at the end, and the first order ever was in between."""

    @property
    def retained(self) -> bool:
        return self.at_start and self.at_end

    @property
    def churned(self) -> bool:
        return self.at_start and not self.at_end

    @property
    def reactivated(self) -> bool:
        return self.at_end and not self.at_start and not self.is_new


def buying(purchases: Sequence[int], start: int, end: int) -> Buying | None:
    """None for who bought nothing in the window."""
    before_end = bisect_left(purchases, end)
    count = before_end - bisect_left(purchases, start)
    return None if count == 0 else Buying(count, count >= _REPEAT, before_end >= _REPEAT)


def is_active(purchases: Sequence[int], at: int, window: int = CHURN_WINDOW) -> bool:
    """Whether there is a valid order in [at - window, at)."""
    return bisect_left(purchases, at) > bisect_left(purchases, at - window)


def retention(
    purchases: Sequence[int], start: int, end: int, window: int = CHURN_WINDOW
) -> Retention:
    at_end = is_active(purchases, end, window)
    is_new = at_end and purchases[0] >= start
    return Retention(is_active(purchases, start, window), at_end, is_new)
