"""How often a customer will buy again: the BG/NBD model.

Source: Fader, Hardie, Lee, "Counting Your Customers the Easy Way" (2005); the expectation after
Euler's transformation of their equation (10), which cannot overflow (kpis.md 5.2). Unit: days.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln, hyp2f1

from rapport_metrics.clv.fitting import Fit, fit_positive

Vector = NDArray[np.float64]

_SINGULAR: Final = 1e-9
"""At a = 1 the expectation is 0/0: a step beside it there is nothing to see."""


class BgNbd(NamedTuple):
    """Buying rates are gamma (r, alpha), drop-out probabilities beta (a, b) distributed."""

    r: float
    alpha: float
    a: float
    b: float


class Row(NamedTuple):
    """`customers` who bought alike, as in `domain.statistics.Occasions`; `age` is its `T`."""

    x: int
    t_x: int
    age: int
    customers: int


def fit(rows: Sequence[Row]) -> Fit[BgNbd]:
    """The most likely parameters. ValueError when there is nothing to learn from."""
    if not any(row.x > 0 for row in rows):
        raise ValueError("BG/NBD needs customers who bought more than once")
    x, t_x, age, count = _columns(rows)
    # With the longest time as the unit all parameters are of the same order.
    unit = float(age.max())

    def loss(parameters: Vector) -> float:
        return -float(count @ _log_likelihood(BgNbd(*parameters), x, t_x / unit, age / unit))

    found, least = fit_positive(loss, dimensions=4)
    model = BgNbd(found[0], found[1] * unit, found[2], found[3])
    # A density per unit of time: each of the x purchases brings the unit in once.
    likelihood = -least - float(count @ x) * np.log(unit)
    return Fit(model, float(likelihood), int(count.sum()))


def log_likelihood(model: BgNbd, rows: Sequence[Row]) -> float:
    """Of all customers together, time in the unit of `rows`."""
    x, t_x, age, count = _columns(rows)
    return float(count @ _log_likelihood(model, x, t_x, age))


def alive(model: BgNbd, x: int, t_x: float, age: float) -> float:
    """Probability that the customer has not left. 1 for who bought once: nothing tells."""
    return float(_alive(model, *_vectors(x, t_x, age))[0])


def expected(model: BgNbd, x: int, t_x: float, age: float, t: float) -> float:
    """Purchases to be expected in the next `t` days of somebody with this history."""
    return float(expected_each(model, *_vectors(x, t_x, age), t)[0])


def expected_each(model: BgNbd, x: Vector, t_x: Vector, age: Vector, t: float) -> Vector:
    """The same of many customers."""
    r, alpha, a, b = model
    if abs(a - 1) < _SINGULAR:
        a = 1 + _SINGULAR
    z = t / (alpha + age + t)
    with np.errstate(all="ignore"):
        # Two forms of one number: the first holds for many purchases, the other for a great a.
        first = (1 - z) ** (a - 1) * hyp2f1(a + b - 1 - r, a - 1, a + b + x - 1, z)
        other = (1 - z) ** (r + x) * hyp2f1(r + x, b + x, a + b + x - 1, z)
    rest = 1 - np.where(np.isfinite(first), first, other)
    result: Vector = _alive(model, x, t_x, age) * (a + b + x - 1) / (a - 1) * rest
    return result


def expected_of_anybody(model: BgNbd, t: float) -> float:
    """Purchases after the first to be expected of a new customer in `t` days."""
    return expected(model, 0, 0.0, 0.0, t)


def churn_risk(model: BgNbd, x: int, t_x: float, age: float, horizon: float) -> float:
    """Probability of no purchase in the next `horizon` days."""
    return float(churn_risk_each(model, *_vectors(x, t_x, age), horizon)[0])


def churn_risk_each(model: BgNbd, x: Vector, t_x: Vector, age: Vector, horizon: float) -> Vector:
    """The same of many customers."""
    r, alpha, _, _ = model
    silent = ((alpha + age) / (alpha + age + horizon)) ** (r + x)
    result: Vector = 1 - _alive(model, x, t_x, age) * (1 - silent)
    return result


def days_to_next(model: BgNbd, x: int, t_x: float, age: float, q: float) -> float | None:
    """Days by which the next purchase has come with probability `q`; None: never so likely."""
    r, alpha, _, _ = model
    living = alive(model, x, t_x, age)
    if living <= q:
        return None
    return float((alpha + age) * ((1 - q / living) ** (-1 / (r + x)) - 1))


def _alive(model: BgNbd, x: Vector, t_x: Vector, age: Vector) -> Vector:
    r, alpha, a, b = model
    # Written for x = 0 as well, and then not used: division by a negative number is avoided.
    odds = a / (b + np.maximum(x, 1) - 1) * ((alpha + age) / (alpha + t_x)) ** (r + x)
    result: Vector = np.where(x > 0, 1 / (1 + odds), 1.0)
    return result


def _vectors(x: float, t_x: float, age: float) -> tuple[Vector, Vector, Vector]:
    return np.array([x], dtype=float), np.array([t_x], dtype=float), np.array([age], dtype=float)


def _columns(rows: Sequence[Row]) -> tuple[Vector, Vector, Vector, Vector]:
    x, t_x, age, count = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return x, t_x, age, count


def _log_likelihood(model: BgNbd, x: Vector, t_x: Vector, age: Vector) -> Vector:
    r, alpha, a, b = model
    repeats = x > 0
    head = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
    stayed = -(r + x) * np.log(alpha + age)
    # Written for x = 0 as well, and then not used: log of a negative number is avoided.
    left = np.log(a) - np.log(b + np.where(repeats, x, 1) - 1) - (r + x) * np.log(alpha + t_x)
    tail = np.where(repeats, np.logaddexp(stayed, left), stayed)
    result: Vector = head + tail
    return result
