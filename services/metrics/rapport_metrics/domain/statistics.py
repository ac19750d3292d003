"""What a person's purchases are for the models of section 5: integers, kept by the stream."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from rapport_metrics.domain.instants import DAY


class Occasions(NamedTuple):
    """Sufficient statistics of one buyer (kpis.md 5.1). Unit: days; money in minor units.

    An occasion is a UTC day with a net amount above 0.
    """

    x: int
    """Occasions after the first."""
    t_x: int
    """Days from the first occasion to the last."""
    T: int
    """Days from the first occasion to the last full day."""
    repeat_amount: int
    """Net amount of the occasions after the first."""


class Alike(NamedTuple):
    """Buyers who bought alike: their number is all that is kept of them."""

    bought: Occasions
    customers: int


def occasions(purchases: Iterable[tuple[int, int]], at: int) -> Occasions | None:
    """`purchases`: instant and net of valid orders. None for who never bought before `at`."""
    days: dict[int, int] = defaultdict(int)
    for when, net in purchases:
        if when < at:
            days[when // DAY] += net
    bought = sorted(day for day, net in days.items() if net > 0)
    if not bought:
        return None
    first, last_full_day = bought[0], at // DAY - 1
    repeat = sum(days[day] for day in bought[1:])
    return Occasions(len(bought) - 1, bought[-1] - first, last_full_day - first, repeat)
