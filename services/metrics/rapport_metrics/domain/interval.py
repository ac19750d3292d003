"""How far a number may be from what it would be with many more units: 95 % intervals.

Sources: Wilson (1927) for shares; kpis.md 2.1 for the standard error of a net promoter score.
"""

from math import sqrt
from typing import Final

Interval = tuple[float, float]
"""The lower and the upper bound, in the unit of the KPI."""

SMALL: Final = 10
"""With fewer units a number is to be shown in grey (kpis.md 1.8)."""

_Z: Final = 1.959963984540054
"""The normal quantile of 97.5 %."""

_DECIMALS: Final = 6


def wilson(num: int, den: int, scale: int = 100) -> Interval | None:
    """Of a share; None of nothing, and where `num` is not a part of `den`."""
    if den <= 0 or not 0 <= num <= den:
        return None
    share, square = num / den, _Z * _Z
    middle = share + square / (2 * den)
    half = _Z * sqrt((share * (1 - share) + square / (4 * den)) / den)
    low, high = ((middle + sign * half) / (1 + square / den) for sign in (-1, 1))
    return _rounded(max(0.0, low), min(1.0, high), scale)


def net_promoter(promoters: int, detractors: int, answers: int) -> Interval | None:
    """Of a net promoter score, in points; None without answers."""
    if answers <= 0:
        return None
    score = (promoters - detractors) / answers
    variance = max(0.0, (promoters + detractors) / answers - score * score)
    half = _Z * sqrt(variance / answers)
    return _rounded(max(-1.0, score - half), min(1.0, score + half), 100)


def _rounded(low: float, high: float, scale: int) -> Interval:
    return round(scale * low, _DECIMALS), round(scale * high, _DECIMALS)
