"""Scores of a person as of a day: from which models, why there are none, which lines they cross."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final, Literal, NamedTuple

from rapport_personalization.domain.consents import allows_profiling
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.occasions import RISKY
from rapport_personalization.domain.orders import Order
from rapport_personalization.domain.prediction import (
    Bought,
    Buying,
    Forecast,
    Spending,
    bought,
    forecast,
)
from rapport_personalization.domain.trigger import Trigger

Reason = Literal["no_model", "never_bought", "other_currency", "refused"]
Score = Literal["churn_risk", "clv"]
Above = Mapping[str, Mapping[str, bool]]
"""By score: the lines by name, and whether somebody was above each when looked at last."""

TOP: Final = "top"
"""The line of the most valuable fifth: another value every night."""
TOP_SHARE: Final = 0.8
_SCORES: Final[tuple[Score, ...]] = ("clv", "churn_risk")
"""In the order in which they are told."""
_SLACK: Final = 0.95
"""Below a line is who is this much below it: whoever wavers about one is not told of daily."""


@dataclass(frozen=True, slots=True)
class Model:
    """What a `model.fitted` said."""

    key: bytes
    model: str
    as_of: datetime
    fitted_at: datetime | None
    definition: str | None = None
    currency: str | None = None
    buyers: int | None = None


@dataclass(frozen=True, slots=True)
class Models:
    """What scores are made of: how often, and where that is known how much."""

    buying: Buying
    of_buying: Model
    spending: Spending | None = None
    of_spending: Model | None = None
    margin: float = 1.0

    @property
    def currency(self) -> str | None:
        return self.of_buying.currency


class Scored(NamedTuple):
    """Of one person; `why` says why there is no forecast."""

    bought: Bought | None
    forecast: Forecast | None
    why: Reason | None = None


def midnight(day: date) -> datetime:
    """Scores are as of it: what happened before it counts."""
    return datetime.combine(day, time(), UTC)


def score(models: Models | None, orders: Iterable[Order], day: date) -> Scored:
    """Nothing is guessed: without a model, or a purchase that it is about, there is no score."""
    known = list(orders)
    currency = None if models is None else models.currency
    mine = bought(known, midnight(day), currency)
    if models is None:
        return Scored(mine, None, "no_model")
    if mine is None:
        ever = bought(known, midnight(day))
        return Scored(None, None, "never_bought" if ever is None else "other_currency")
    return Scored(mine, forecast(models.buying, models.spending, mine, models.margin))


def score_of(models: Models | None, customer: Customer, day: date) -> Scored:
    """Who has refused profiling is not reckoned with."""
    if not allows_profiling(customer.consents):
        return Scored(None, None, "refused")
    return score(models, customer.orders.values(), day)


def lines(
    risk_lines: Iterable[float], clv_top: float | None, triggers: Iterable[Trigger]
) -> dict[str, dict[str, float]]:
    """All that somebody waits for: suggestions, the settings, triggers, and the top fifth."""
    found: dict[str, dict[str, float]] = {"churn_risk": {}, "clv": {}}
    for line in (RISKY, *risk_lines):
        found["churn_risk"][f"{line:g}"] = line
    for trigger in triggers:
        entry = trigger.on.score
        if entry is not None and entry.name in found:
            found[entry.name][f"{entry.above:g}"] = entry.above
    if clv_top is not None:
        found["clv"][TOP] = clv_top
    return found


class Looked(NamedTuple):
    """Which lines somebody is above now, and which of their scores are to be told."""

    above: dict[str, dict[str, bool]]
    told: tuple[Score, ...] = ()
    is_first: bool = False
    """Nobody has ever looked: being above a line is no crossing, and starts nothing."""


def look(
    before: Above, values: Mapping[str, float | None], lines: Mapping[str, Mapping[str, float]]
) -> Looked:
    """`before`: empty for somebody whom nobody has looked at. A line that is new to somebody is
    not crossed on its first day."""
    above: dict[str, dict[str, bool]] = {}
    crossed: list[Score] = []
    for name in _SCORES:
        value, was = values.get(name), before.get(name, {})
        above[name] = {} if value is None else _above(value, was, lines[name])
        if any(was.get(line, on) != on for line, on in above[name].items()):
            crossed.append(name)
    if before:
        # Whoever hears of a risk wants to know what is at stake.
        both = "churn_risk" in crossed and values.get("clv") is not None
        return Looked(above, _SCORES if both else tuple(crossed))
    # Of all who are above a line from the beginning only those are news of whom one would hear.
    is_news = above["clv"].get(TOP, False) and any(above["churn_risk"].values())
    return Looked(above, _SCORES if is_news else (), is_first=True)


def _above(value: float, was: Mapping[str, bool], lines: Mapping[str, float]) -> dict[str, bool]:
    return {line: value >= (at * _SLACK if was.get(line) else at) for line, at in lines.items()}
