"""How much a customer spends each time: the Gamma-Gamma model.

Source: Fader, Hardie, "The Gamma-Gamma Model of Monetary Value" (2013); kpis.md 5.3. Amounts in
any unit, the same everywhere.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from rapport_metrics.clv.fitting import Fit, fit_positive

CORRELATION_LIMIT: Final = 0.3
"""The model says that how often and how much are independent: above this they are not."""


class GammaGamma(NamedTuple):
    """Amounts are gamma (p, nu), nu itself gamma (q, v) distributed."""

    p: float
    q: float
    v: float


class Spending(NamedTuple):
    """Of somebody who bought again: occasions after the first, and their mean amount."""

    x: int
    mean: float


def fit(rows: Sequence[Spending]) -> Fit[GammaGamma]:
    """The most likely parameters. ValueError when nobody bought again."""
    told = [row for row in rows if row.x > 0 and row.mean > 0]
    if not told:
        raise ValueError("Gamma-Gamma needs customers who bought more than once")
    x, mean = (np.array(column, dtype=float) for column in zip(*told, strict=True))
    # With the mean amount as the unit all parameters are of the same order.
    unit = float(mean.mean())

    def loss(parameters: NDArray[np.float64]) -> float:
        return -float(_log_likelihood(GammaGamma(*parameters), x, mean / unit).sum())

    found, least = fit_positive(loss, dimensions=3)
    model = GammaGamma(found[0], found[1], found[2] * unit)
    return Fit(model, -least - len(told) * float(np.log(unit)), len(told))


def expected_amount(model: GammaGamma, x: int, mean: float) -> float:
    """The amount to be expected of each further purchase.

    With q <= 1 the population has no mean: then it is what was seen.
    """
    p, q, v = model
    if p * x + q <= 1 or (x == 0 and q <= 1):
        return mean
    return p * (v + x * mean) / (p * x + q - 1)


def correlation(rows: Sequence[Spending]) -> float:
    """Of how often with how much, among those who bought again; 0 for too few."""
    told = [row for row in rows if row.x > 0 and row.mean > 0]
    if len({row.x for row in told}) < 2 or len({row.mean for row in told}) < 2:
        return 0.0
    return float(np.corrcoef([row.x for row in told], [row.mean for row in told])[0, 1])


def _log_likelihood(
    model: GammaGamma, x: NDArray[np.float64], mean: NDArray[np.float64]
) -> NDArray[np.float64]:
    p, q, v = model
    result: NDArray[np.float64] = (
        gammaln(p * x + q)
        - gammaln(p * x)
        - gammaln(q)
        + q * np.log(v)
        + (p * x - 1) * np.log(mean)
        + p * x * np.log(x)
        - (p * x + q) * np.log(x * mean + v)
    )
    return result
