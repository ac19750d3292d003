"""Where a customer stands between first interest and leaving (kpis.md, section 4.2)."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

_FRESH: Final = timedelta(days=30)
_AT_RISK: Final = timedelta(days=60)
_LAPSED: Final = timedelta(days=90)
_CHURNED: Final = timedelta(days=180)
_LOYAL_ORDERS: Final = 4


def stage(bought: Sequence[datetime], at: datetime) -> str:
    """From the times of valid orders before an instant, in order. First match wins."""
    before = bisect_left(bought, at)
    if before == 0:
        return "prospect"
    last = bought[before - 1]
    idle = at - last
    if idle >= _AT_RISK:
        return "churned" if idle >= _CHURNED else "lapsed" if idle >= _LAPSED else "at_risk"
    if before > 1 and last - bought[before - 2] >= _LAPSED and idle < _FRESH:
        return "won_back"
    if before - bisect_left(bought, at - _CHURNED) >= _LOYAL_ORDERS:
        return "loyal"
    return "new" if before == 1 and idle < _FRESH else "active"
