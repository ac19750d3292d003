"""An integer log-linear histogram: exact counts, mergeable, and values can be taken out again.

Source: kpis.md 3.2. Below 256 every value has a bin of its own; above, a bin is at most 1/128 of
its value wide, so that its middle is at most 1/256 (0.39 %) away. Values are whole seconds.
"""

from collections.abc import Mapping
from typing import Final

_SUB: Final = 7
_EXACT: Final = 2 << _SUB


def index(value: int) -> int:
    """The bin of a value. ValueError when it is negative."""
    if value < 0:
        raise ValueError(f"a histogram holds no negative values, such as {value}")
    exponent = max(0, value.bit_length() - _SUB - 1)
    return (exponent << _SUB) + (value >> exponent)


def representative(bin_: int) -> int:
    """The value that stands for a bin: its middle, rounded down."""
    if bin_ < _EXACT:
        return bin_
    exponent = (bin_ >> _SUB) - 1
    low = (bin_ - (exponent << _SUB)) << exponent
    return low + (1 << (exponent - 1)) - 1


def quantile(bins: Mapping[int, int], permille: int) -> int | None:
    """The value at a rank (500 is the median), by nearest rank; None of nothing.

    `bins`: bin to count, none of them negative.
    """
    total = sum(bins.values())
    if total == 0:
        return None
    rank = max(1, -(-permille * total // 1000))
    for bin_ in sorted(bins):
        rank -= bins[bin_]
        if rank <= 0:
            return representative(bin_)
    raise AssertionError("ranks end with the total")
