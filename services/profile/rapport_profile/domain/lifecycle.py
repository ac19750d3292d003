"""Where a customer stands between first interest and leaving (kpis.md, section 4.2)."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

Stage = Literal["prospect", "new", "active", "loyal", "at_risk", "lapsed", "churned", "won_back"]

DEFINITION: Final = "lifecycle.v1"
_FRESH: Final = timedelta(days=30)
_AT_RISK: Final = timedelta(days=60)
_LAPSED: Final = timedelta(days=90)
_CHURNED: Final = timedelta(days=180)
_LOYAL_ORDERS: Final = 4
_AGES: Final = (timedelta(0), _FRESH, _AT_RISK, _LAPSED, _CHURNED)
"""Past these an order ages into another stage; 0 is the order itself."""

INSTANT: Final = timedelta(microseconds=1)
"""A boundary belongs to the stage before it or to the one after: just after it, it is clear."""


class Lifecycle(NamedTuple):
    stage: Stage
    since: datetime | None
    """When the stage began; None for a prospect."""


class Step(NamedTuple):
    """From one stage into the next, at a boundary."""

    at: datetime
    before: Stage
    after: Stage


def stage(purchases: Sequence[datetime], at: datetime) -> Stage:
    """The stage at an instant, from the times of valid orders before it. First match wins."""
    return _stage(sorted(purchases), at)


def lifecycle(purchases: Sequence[datetime], at: datetime) -> Lifecycle:
    """The stage at an instant, and the boundary at which it began."""
    ordered = sorted(purchases)
    now = _stage(ordered, at)
    if now == "prospect":
        return Lifecycle(now, None)
    since: datetime | None = None
    for boundary in reversed(_boundaries(ordered, None, at - INSTANT)):
        if _stage(ordered, boundary + INSTANT) != now:
            break
        since = boundary
    return Lifecycle(now, since)


def steps(
    purchases: Sequence[datetime], after: datetime | None, until: datetime | None
) -> Iterator[Step]:
    """The changes of stage later than `after` and not later than `until`, in order.

    None: from the beginning, and to the end.
    """
    ordered = sorted(purchases)
    known: Stage = "prospect" if after is None else _stage(ordered, after + INSTANT)
    for boundary in _boundaries(ordered, after, until):
        now = _stage(ordered, boundary + INSTANT)
        if now != known:
            yield Step(boundary, known, now)
        known = now


def next_change(purchases: Sequence[datetime], now: datetime) -> datetime | None:
    """When the stage changes after `now` if nothing else happens; None: never.

    The first of `steps`, found without looking at every order.
    """
    ordered = sorted(purchases)
    if not ordered:
        return None
    if ordered[-1] > now:
        return next((step.at for step in steps(ordered, now, None)), None)
    boundaries = [ordered[-1] + age for age in _AGES]
    if len(ordered) >= _LOYAL_ORDERS:
        # Without a new order, loyalty can only be lost: when the fourth newest is too old.
        boundaries.append(ordered[-_LOYAL_ORDERS] + _CHURNED)
    current = _stage(ordered, now + INSTANT)
    for boundary in sorted(boundaries):
        if boundary > now and _stage(ordered, boundary + INSTANT) != current:
            return boundary
    return None


def _stage(ordered: Sequence[datetime], at: datetime) -> Stage:
    before = bisect_left(ordered, at)
    if before == 0:
        return "prospect"
    last = ordered[before - 1]
    idle = at - last
    if idle >= _AT_RISK:
        return "churned" if idle >= _CHURNED else "lapsed" if idle >= _LAPSED else "at_risk"
    if before > 1 and last - ordered[before - 2] >= _LAPSED and idle < _FRESH:
        return "won_back"
    if before - bisect_left(ordered, at - _CHURNED) >= _LOYAL_ORDERS:
        return "loyal"
    return "new" if before == 1 and idle < _FRESH else "active"


def _boundaries(
    ordered: Sequence[datetime], after: datetime | None, until: datetime | None
) -> list[datetime]:
    """Instants in (after, until] at which a stage can change, in order."""
    found: set[datetime] = set()
    for age in _AGES:
        first = 0 if after is None else bisect_right(ordered, after - age)
        last = len(ordered) if until is None else bisect_right(ordered, until - age)
        found.update(time + age for time in ordered[first:last])
    return sorted(found)
