"""From two integers to the number that people read."""

from typing import Final

_DECIMALS: Final = 6


def ratio(num: int, den: int, scale: int = 1) -> float | None:
    """`scale * num / den`: one correctly rounded division, then half-even to 6 decimals.

    None when there is nothing to divide by: a rate of nothing is not 0. Source: kpis.md 1.1.
    """
    return None if den == 0 else round((scale * num) / den, _DECIMALS)
