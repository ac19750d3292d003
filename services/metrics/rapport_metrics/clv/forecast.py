"""What the models say of all buyers together; never of one of them."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapport_metrics.clv import bgnbd, gamma_gamma
from rapport_metrics.clv.bgnbd import BgNbd, expected_each
from rapport_metrics.clv.fitting import Fit, NoFitError
from rapport_metrics.clv.gamma_gamma import GammaGamma, Spending, expected_amount
from rapport_metrics.clv.value import DAYS_A_MONTH, DISCOUNT, MONTHS
from rapport_metrics.domain.statistics import Alike

HORIZON_DAYS: Final = 90
_TENTHS: Final = 10


class Models(NamedTuple):
    """How often, how much, and how far the two depend on each other."""

    buying: Fit[BgNbd]
    spending: Fit[GammaGamma]
    correlation: float


class Forecast(NamedTuple):
    """Of all buyers. `risks`: how many have a churn risk in each tenth, of 0 to 1."""

    buyers: int
    expected_orders: float
    risks: list[int]
    value: int
    """Of the next 12 months, in minor units."""


def fit_models(buyers: Sequence[Alike]) -> Models:
    """Raises ValueError when nothing can be learned from these purchases."""
    alike: Counter[tuple[int, int, int]] = Counter()
    for one in buyers:
        alike[one.bought.x, one.bought.t_x, one.bought.T] += one.customers
    spent = [
        Spending(one.bought.x, one.bought.repeat_amount / one.bought.x)
        for one in buyers
        for _ in range(one.customers)
        if one.bought.x > 0
    ]
    buying = bgnbd.fit([bgnbd.Row(*key, customers) for key, customers in alike.items()])
    return Models(buying, gamma_gamma.fit(spent), gamma_gamma.correlation(spent))


def forecast(models: Models, buyers: Sequence[Alike], margin: float) -> Forecast:
    """`margin`: the share of an amount that is left of it. Raises NoFitError."""
    buying, spending = models.buying.model, models.spending.model
    x, t_x, age = (
        np.array([getattr(one.bought, name) for one in buyers], dtype=float)
        for name in ("x", "t_x", "T")
    )
    count = np.array([one.customers for one in buyers], dtype=float)
    amount = np.array([_amount(spending, one) for one in buyers])
    orders, before = np.zeros(len(buyers)), np.zeros(len(buyers))
    for month in range(1, MONTHS + 1):
        until = expected_each(buying, x, t_x, age, DAYS_A_MONTH * month)
        orders, before = orders + (until - before) / DISCOUNT**month, until
    if not np.isfinite(orders).all():
        raise NoFitError("the models fit these purchases, and predict nothing that is a number")
    soon = expected_each(buying, x, t_x, age, HORIZON_DAYS)
    risk = bgnbd.churn_risk_each(buying, x, t_x, age, HORIZON_DAYS)
    return Forecast(
        buyers=int(count.sum()),
        expected_orders=float(count @ soon),
        risks=_tenths(risk, count),
        value=round(margin * float(count @ (amount * orders))),
    )


def _amount(spending: GammaGamma, one: Alike) -> float:
    x = one.bought.x
    return expected_amount(spending, x, one.bought.repeat_amount / x if x else 0.0)


def _tenths(risk: NDArray[np.float64], count: NDArray[np.float64]) -> list[int]:
    found, _ = np.histogram(risk, bins=_TENTHS, range=(0.0, 1.0), weights=count)
    return [round(float(number)) for number in found]
