"""Which part of a span the totals of whole days tell, and which only those of hours and minutes."""

from collections.abc import Sequence
from typing import Final, NamedTuple

MINUTES_A_DAY: Final = 1_440


class Ranges(NamedTuple):
    """Half-open ranges [since, until), in order: of minutes since 1970, and of days since then."""

    fine: list[tuple[int, int]]
    whole: list[tuple[int, int]]


def divide(edges: Sequence[int], end: int, mature_before: int) -> Ranges:
    """The minutes from the first of `edges` to `end`, each once.

    A day counts as a whole when it lies in one window, and no unit of it is too young.
    """
    start, torn = edges[0], {edge // MINUTES_A_DAY for edge in edges if edge % MINUTES_A_DAY}
    first, last = -(-start // MINUTES_A_DAY), min(end, mature_before) // MINUTES_A_DAY
    ranges, at, since = Ranges([], []), start, first
    for day in (*sorted(day for day in torn if first <= day < last), last):
        if since < day:
            _add(ranges.fine, at, since * MINUTES_A_DAY)
            _add(ranges.whole, since, day)
            at = day * MINUTES_A_DAY
        since = day + 1
    _add(ranges.fine, at, end)
    return ranges


def _add(ranges: list[tuple[int, int]], since: int, until: int) -> None:
    if since < until:
        ranges.append((since, until))
