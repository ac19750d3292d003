"""Whether treated people spend more: Welch's t, which lets the arms spread differently."""

from collections.abc import Sequence
from math import exp, inf, lgamma, log, sqrt
from typing import Final, NamedTuple

_ENOUGH: Final = 2
_STEPS: Final = 300
_CLOSE: Final = 1e-14
_TINY: Final = 1e-300


class Sums(NamedTuple):
    """What one arm spent, in minor units: additive, so that nobody's own figure is kept."""

    people: int
    total: int
    squares: int

    @property
    def mean(self) -> float:
        return self.total / self.people

    @property
    def variance(self) -> float:
        """Of the sample. In whole numbers up to the last division: nothing cancels out."""
        return (self.people * self.squares - self.total**2) / (self.people * (self.people - 1))


class Welch(NamedTuple):
    """`difference`: what a treated person spends more, in minor units."""

    difference: float
    t: float
    freedom: float
    p: float


def sums(amounts: Sequence[int]) -> Sums:
    return Sums(len(amounts), sum(amounts), sum(one * one for one in amounts))


def welch(treated: Sums, control: Sums) -> Welch | None:
    """None while an arm has fewer than two people, or nobody differs from anybody."""
    if min(treated.people, control.people) < _ENOUGH:
        return None
    spread_t = treated.variance / treated.people
    spread_c = control.variance / control.people
    spread = spread_t + spread_c
    difference = treated.mean - control.mean
    if spread == 0:
        return None
    freedom = spread**2 / (spread_t**2 / (treated.people - 1) + spread_c**2 / (control.people - 1))
    t = difference / sqrt(spread)
    return Welch(difference, t, freedom, two_sided(t, freedom))


def two_sided(t: float, freedom: float) -> float:
    """Probability of a value of Student's t that is as far from 0."""
    if t in (inf, -inf):
        return 0.0
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised, by its continued fraction (Lentz), which converges on the nearer side."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    found = d
    for step in range(1, _STEPS):
        for term in (
            step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step)),
            -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1)),
        ):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            found *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return found


def _away_from_zero(number: float) -> float:
    return number if abs(number) > _TINY else _TINY
