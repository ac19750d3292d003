"""What a trigger brings: treated people against those left out, and whether one can say so yet.

Sources: kpis.md 6.5; Newcombe (1998), method 10, for the interval; Welch (1947) for revenue.
"""

from math import ceil, erfc, sqrt
from typing import Final, Literal, NamedTuple, TypeAlias

MIN_UNITS: Final = 100
MIN_CONVERSIONS: Final = 5
ALPHA: Final = 0.05
_Z: Final = 1.959963984540054
"""Normal quantile of 97.5 %."""
_Z_POWER: Final = 0.8416212335729143
"""Of 80 %."""


Verdict: TypeAlias = Literal["not_yet", "no_difference_seen", "better", "worse"]


class Count(NamedTuple):
    """One arm: decisions whose time for the goal is over, and how many of them reached it."""

    units: int
    conversions: int

    @property
    def share(self) -> float | None:
        return self.conversions / self.units if self.units else None


class Lift(NamedTuple):
    """By intention to treat. `verdict` says no more than the figures do."""

    treated: Count
    control: Count
    pending: int
    """Decisions whose time for the goal is not over."""
    uplift: float | None = None
    relative: float | None = None
    incremental: float | None = None
    """Conversions that would not have been."""
    z: float | None = None
    p: float | None = None
    interval: tuple[float, float] | None = None
    """95 %, of the uplift."""
    verdict: Verdict = "not_yet"
    reason: str = ""
    planned: int | None = None
    """Units per arm that the judgement is planned for."""


def lift(treated: Count, control: Count, pending: int, planned: int | None = None) -> Lift:
    """`planned`: units per arm at which it is to be judged; looked at sooner, chance decides."""
    p_t, p_c = treated.share, control.share
    if p_t is None or p_c is None:
        return Lift(treated, control, pending, reason="one of the arms is empty", planned=planned)
    uplift = p_t - p_c
    z = _pooled_z(treated, control)
    p = None if z is None else erfc(abs(z) / sqrt(2))
    verdict, reason = _verdict(treated, control, p, uplift, planned)
    return Lift(
        treated=treated,
        control=control,
        pending=pending,
        uplift=uplift,
        relative=p_t / p_c - 1 if p_c else None,
        incremental=uplift * treated.units,
        z=z,
        p=p,
        interval=newcombe(treated, control),
        verdict=verdict,
        reason=reason,
        planned=planned,
    )


def newcombe(treated: Count, control: Count) -> tuple[float, float]:
    """95 % interval of the difference of two shares, from the Wilson intervals of both."""
    p_t, p_c = treated.share or 0.0, control.share or 0.0
    low_t, high_t = wilson(treated)
    low_c, high_c = wilson(control)
    difference = p_t - p_c
    low = difference - sqrt((p_t - low_t) ** 2 + (high_c - p_c) ** 2)
    high = difference + sqrt((high_t - p_t) ** 2 + (p_c - low_c) ** 2)
    return max(-1.0, low), min(1.0, high)


def wilson(count: Count) -> tuple[float, float]:
    """95 % interval of a share; of nothing everything is possible."""
    if not count.units:
        return 0.0, 1.0
    share, square = count.conversions / count.units, _Z * _Z
    middle = share + square / (2 * count.units)
    half = _Z * sqrt((share * (1 - share) + square / (4 * count.units)) / count.units)
    scale = 1 + square / count.units
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def planned_size(base: float, wanted: float) -> int:
    """Units per arm that show `wanted` against `base` with 80 % power at 5 %, two-sided."""
    if base == wanted or not (0 < base < 1 and 0 < wanted < 1):
        raise ValueError("needs two different shares between 0 and 1")
    middle = (base + wanted) / 2
    spread = _Z * sqrt(2 * middle * (1 - middle))
    spread += _Z_POWER * sqrt(base * (1 - base) + wanted * (1 - wanted))
    return ceil((spread / (wanted - base)) ** 2)


def _pooled_z(treated: Count, control: Count) -> float | None:
    units = treated.units + control.units
    share = (treated.conversions + control.conversions) / units
    spread = share * (1 - share) * (1 / treated.units + 1 / control.units)
    if spread == 0:
        return None
    return ((treated.share or 0.0) - (control.share or 0.0)) / sqrt(spread)


def _verdict(
    treated: Count, control: Count, p: float | None, uplift: float, planned: int | None
) -> tuple[Verdict, str]:
    units = min(treated.units, control.units)
    conversions = min(treated.conversions, control.conversions)
    if units >= MIN_UNITS and conversions < MIN_CONVERSIONS:
        return "not_yet", f"needs {MIN_CONVERSIONS} conversions in each arm, and has {conversions}"
    return judge(units, p, uplift, planned)


def judge(
    people: int, p: float | None, difference: float, planned: int | None
) -> tuple[Verdict, str]:
    """What may be said of a difference, with so many people in the smaller arm."""
    if people < MIN_UNITS:
        return "not_yet", f"needs {MIN_UNITS} people in each arm, and has {people}"
    if planned is not None and people < planned:
        return "not_yet", f"is judged at {planned} people in each arm, and has {people}"
    if p is None or p >= ALPHA:
        return "no_difference_seen", "the difference may well be chance"
    return ("better" if difference > 0 else "worse"), f"p = {p:.4f}"
