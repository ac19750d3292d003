"""What a customer will be worth: purchases to come, times amount, discounted (kpis.md 5.4)."""

from typing import Final

from rapport_metrics.clv.bgnbd import BgNbd, expected
from rapport_metrics.clv.gamma_gamma import GammaGamma, expected_amount
from rapport_metrics.domain.statistics import Occasions

MONTHS: Final = 12
DAYS_A_MONTH: Final = 30
DISCOUNT: Final = 1.01
"""One percent a month."""


def lifetime_value(
    buying: BgNbd, spending: GammaGamma, bought: Occasions, margin: float = 1.0
) -> float:
    """Of the next 12 months of 30 days, in minor units, as of the end of `bought.T`."""
    mean = bought.repeat_amount / bought.x if bought.x else 0.0
    amount = expected_amount(spending, bought.x, mean)
    total, before = 0.0, 0.0
    for month in range(1, MONTHS + 1):
        until = expected(buying, bought.x, bought.t_x, bought.T, DAYS_A_MONTH * month)
        total += (until - before) / DISCOUNT**month
        before = until
    return margin * amount * total
