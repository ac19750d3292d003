"""What a customer will probably do: from the parameters of the models that metrics fits.

BG/NBD and Gamma-Gamma of kpis.md section 5, for one person at a time, in plain numbers.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from math import exp, isfinite, log
from typing import Final, NamedTuple

from rapport_personalization.domain.orders import Order

HORIZON_DAYS: Final = 90
_MONTHS: Final = 12
_DAYS_A_MONTH: Final = 30
_DISCOUNT: Final = 1.01
_SINGULAR: Final = 1e-9
_TERMS: Final = 10_000
_CLOSE: Final = 1e-16
_REMEMBERED: Final = 50_000
_A_DAY: Final = timedelta(days=1)


class Buying(NamedTuple):
    """Buying rates are gamma (r, alpha), drop-out probabilities beta (a, b) distributed."""

    r: float
    alpha: float
    a: float
    b: float


class Spending(NamedTuple):
    """Amounts are gamma (p, nu), nu itself gamma (q, v) distributed."""

    p: float
    q: float
    v: float


class Bought(NamedTuple):
    """Of one buyer, in days: occasions after the first, the last of them, and how long known."""

    x: int
    t_x: int
    age: int
    repeat_amount: int = 0
    """Minor units of the occasions after the first."""


class Forecast(NamedTuple):
    """Of one buyer, as of the end of their `age`."""

    churn_risk: float
    """Probability of no purchase in the next 90 days."""
    alive: float
    purchases: float
    """To be expected in the next 90 days."""
    next_purchase_days: float | None
    """By then they have bought with probability one half; None: it never gets so likely."""
    value: int | None
    """Of the next 12 months, minor units; None: nothing is known of amounts."""


def buying_of(parameters: Mapping[str, float]) -> Buying | None:
    """Of a `model.fitted` of `bgnbd`; None where a parameter is missing or nonsense."""
    values = _positive(parameters, Buying._fields)
    return None if values is None else Buying(*values)


def spending_of(parameters: Mapping[str, float]) -> Spending | None:
    """Of a `model.fitted` of `gamma_gamma`."""
    values = _positive(parameters, Spending._fields)
    return None if values is None else Spending(*values)


def _positive(parameters: Mapping[str, float], names: Iterable[str]) -> list[float] | None:
    found = [parameters.get(name, 0.0) for name in names]
    return found if all(one > 0 and isfinite(one) for one in found) else None


def bought(orders: Iterable[Order], at: datetime, currency: str | None = None) -> Bought | None:
    """None for who never bought. An occasion is a UTC day with a net amount above 0.

    `currency`: only what was bought in it, for a model that was fitted to nothing else.
    """
    days: dict[date, int] = defaultdict(int)
    for order in orders:
        if order.placed is None or not order.is_standing or order.placed.at >= at:
            continue
        if currency is None or order.currency == currency:
            days[order.placed.at.astimezone(UTC).date()] += order.net
    on = sorted(day for day, net in days.items() if net > 0)
    if not on:
        return None
    last_full_day = at.date() - _A_DAY
    repeat = sum(days[day] for day in on[1:])
    age = (last_full_day - on[0]).days
    return Bought(len(on) - 1, (on[-1] - on[0]).days, age, repeat)


def forecast(
    buying: Buying, spending: Spending | None, one: Bought, margin: float = 1.0
) -> Forecast:
    """Somebody who bought today has an age below 0: they are as of today, not of yesterday."""
    known = one._replace(age=max(one.age, one.t_x))
    value = None if spending is None else round(margin * lifetime_value(buying, spending, known))
    return Forecast(
        churn_risk=churn_risk(buying, known, HORIZON_DAYS),
        alive=alive(buying, known),
        purchases=expected(buying, known, HORIZON_DAYS),
        next_purchase_days=days_to_next(buying, known, 0.5),
        value=value,
    )


def alive(model: Buying, one: Bought) -> float:
    """Probability that they have not left. 1 for who bought once: nothing tells."""
    if one.x == 0:
        return 1.0
    silence = (model.alpha + one.age) / (model.alpha + one.t_x)
    power = (model.r + one.x) * log(silence)
    odds = log(model.a / (model.b + one.x - 1)) + power
    return 1 / (1 + exp(odds)) if odds < 0 else exp(-odds) / (1 + exp(-odds))


def churn_risk(model: Buying, one: Bought, horizon: float) -> float:
    """Probability of no purchase within so many days."""
    known = model.alpha + one.age
    silent = (known / (known + horizon)) ** (model.r + one.x)
    return float(1 - alive(model, one) * (1 - silent))


def days_to_next(model: Buying, one: Bought, q: float) -> float | None:
    living = alive(model, one)
    if living <= q:
        return None
    return float((model.alpha + one.age) * ((1 - q / living) ** (-1 / (model.r + one.x)) - 1))


def expected(model: Buying, one: Bought, t: float) -> float:
    """Purchases in the next `t` days."""
    r, alpha, a, b = model
    if abs(a - 1) < _SINGULAR:
        a = 1 + _SINGULAR
    z = t / (alpha + one.age + t)
    # Euler's transformation of the textbook's form, which overflows for many purchases.
    first = (1 - z) ** (a - 1) * _hyp2f1(a + b - 1 - r, a - 1, a + b + one.x - 1, z)
    if not isfinite(first):
        first = (1 - z) ** (r + one.x) * _hyp2f1(r + one.x, b + one.x, a + b + one.x - 1, z)
    return float(alive(model, one) * (a + b + one.x - 1) / (a - 1) * (1 - first))


def expected_amount(model: Spending, one: Bought) -> float:
    """Of each further purchase. Where the population has no mean it is what was seen."""
    p, q, v = model
    mean = one.repeat_amount / one.x if one.x else 0.0
    if p * one.x + q <= 1 or (one.x == 0 and q <= 1):
        return mean
    return p * (v + one.x * mean) / (p * one.x + q - 1)


def lifetime_value(buying: Buying, spending: Spending, one: Bought) -> float:
    """Of the next 12 months of 30 days, discounted by one percent a month."""
    return expected_amount(spending, one) * _discounted(buying, one._replace(repeat_amount=0))


@lru_cache(maxsize=_REMEMBERED)
def _discounted(buying: Buying, one: Bought) -> float:
    """Purchases, each worth less the later it is. Many buyers have bought on the same days."""
    total, before = 0.0, 0.0
    for month in range(1, _MONTHS + 1):
        until = expected(buying, one, _DAYS_A_MONTH * month)
        total += (until - before) / _DISCOUNT**month
        before = until
    return total


def _hyp2f1(a: float, b: float, c: float, z: float) -> float:
    """Gauss's series, for 0 <= z < 1. With many terms where z is near 1: months, not centuries."""
    term = total = 1.0
    for n in range(_TERMS):
        term *= (a + n) * (b + n) / ((c + n) * (n + 1)) * z
        total += term
        if abs(term) <= _CLOSE * abs(total):
            break
    return total
