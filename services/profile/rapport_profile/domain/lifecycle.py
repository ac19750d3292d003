"""Where a customer stands between first interest and leaving (kpis.md, section 4.2)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

Stage = Literal["prospect", "new", "active", "loyal", "at_risk", "lapsed", "churned", "won_back"]

DEFINITION: Final = "lifecycle.v1"
_FRESH: Final = timedelta(days=30)
_AT_RISK: Final = timedelta(days=60)
_LAPSED: Final = timedelta(days=90)
_CHURNED: Final = timedelta(days=180)
_LOYAL_ORDERS: Final = 4
_INSTANT: Final = timedelta(microseconds=1)


class Lifecycle(NamedTuple):
    stage: Stage
    since: datetime | None
    """When the stage began; None for a prospect."""


def stage(purchases: Sequence[datetime], at: datetime) -> Stage:
    """The stage at an instant, from the times of valid orders before it. First match wins."""
    before = sorted(time for time in purchases if time < at)
    if not before:
        return "prospect"
    idle = at - before[-1]
    if idle >= _AT_RISK:
        return "churned" if idle >= _CHURNED else "lapsed" if idle >= _LAPSED else "at_risk"
    if len(before) > 1 and before[-1] - before[-2] >= _LAPSED and idle < _FRESH:
        return "won_back"
    if sum(at - _CHURNED <= time for time in before) >= _LOYAL_ORDERS:
        return "loyal"
    return "new" if len(before) == 1 and idle < _FRESH else "active"


def lifecycle(purchases: Sequence[datetime], at: datetime) -> Lifecycle:
    """The stage at an instant, and the boundary at which it began."""
    now = stage(purchases, at)
    if now == "prospect":
        return Lifecycle(now, None)
    since: datetime | None = None
    for boundary in sorted(_boundaries(purchases, at), reverse=True):
        if stage(purchases, boundary + _INSTANT) != now:
            break
        since = boundary
    return Lifecycle(now, since)


def _boundaries(purchases: Sequence[datetime], at: datetime) -> set[datetime]:
    """Instants at which a stage can change: an order, and the days that it ages past."""
    ages = (timedelta(0), _FRESH, _AT_RISK, _LAPSED, _CHURNED)
    return {time + age for time in purchases for age in ages if time + age < at}
