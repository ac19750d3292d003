"""Lifecycle stages and RFM groups (kpis.md, section 4)."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from rapport_metrics.domain.instants import DAY

Stage = Literal["prospect", "new", "active", "loyal", "at_risk", "lapsed", "churned", "won_back"]

_FRESH: Final = 30 * DAY
_AT_RISK: Final = 60 * DAY
_LAPSED: Final = 90 * DAY
_CHURNED: Final = 180 * DAY
_LOYAL_ORDERS: Final = 4
_YEAR: Final = 365 * DAY
_QUINTILES: Final = 5


def stage(purchases: Sequence[int], at: int) -> Stage:
    """The stage at an instant, from the instants of valid orders before it. First match wins.

    `purchases`: ascending.
    """
    count = bisect_left(purchases, at)
    if count == 0:
        return "prospect"
    last = purchases[count - 1]
    idle = at - last
    if idle >= _AT_RISK:
        return "churned" if idle >= _CHURNED else "lapsed" if idle >= _LAPSED else "at_risk"
    if count > 1 and last - purchases[count - 2] >= _LAPSED and idle < _FRESH:
        return "won_back"
    if count - bisect_left(purchases, at - _CHURNED) >= _LOYAL_ORDERS:
        return "loyal"
    return "new" if count == 1 and idle < _FRESH else "active"


class Rfm(NamedTuple):
    """A buyer at an instant: whole days since the last order, orders and net revenue of a year."""

    recency: int
    frequency: int
    monetary: int


def rfm(purchases: Sequence[tuple[int, int]], at: int) -> Rfm | None:
    """`purchases`: instant and net amount of valid orders, ascending. None for who never bought."""
    before = [one for one in purchases if one[0] < at]
    if not before:
        return None
    year = [net for when, net in before if when >= at - _YEAR]
    return Rfm((at - before[-1][0]) // DAY, len(year), sum(year))


def rfm_groups(buyers: Sequence[Rfm]) -> Mapping[str, int]:
    """Three quintile scores as a text, such as `555` for the best, to the number of buyers.

    Score = 1 + floor(5 x buyers strictly worse / buyers): equal values have equal scores.
    """
    recency = _scores([-one.recency for one in buyers])
    frequency = _scores([one.frequency for one in buyers])
    monetary = _scores([one.monetary for one in buyers])
    return Counter(
        f"{recency[-one.recency]}{frequency[one.frequency]}{monetary[one.monetary]}"
        for one in buyers
    )


def _scores(values: Sequence[int]) -> Mapping[int, int]:
    """Value to score; more is better."""
    ordered = sorted(values)
    return {
        value: 1 + _QUINTILES * bisect_left(ordered, value) // len(ordered) for value in set(values)
    }
