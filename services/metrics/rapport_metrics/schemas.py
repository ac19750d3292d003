"""What the outside sees."""

from datetime import date
from typing import Literal

from pydantic import Field
from rapport_runtime.http.views import Instant, Standing, View


class KpiView(View):
    """One KPI of the catalogue."""

    kpi: str
    name: str
    definition: str = Field(examples=["fcr.v1"])
    definitions: list[str] = Field(description="All versions that can be asked for")
    unit: str
    shape: str = Field(description="ratio, total, distribution, level or persons")
    scale: int = Field(description="value = scale x num / den")
    dimensions: list[str]
    lookahead_seconds: int = Field(description="After so long a unit is final; until then pending")
    source: str = Field(description="The section of the specification that defines it")


class CatalogueView(View):
    kpis: list[KpiView]


class PointView(View):
    """A KPI in one window, for one group."""

    start: Instant
    end: Instant
    dims: dict[str, str]
    num: int
    den: int
    value: float | int | None = Field(description="Null when there is nothing to divide by")
    n: int = Field(description="Units counted")
    pending: int = Field(description="Units that are too young to be counted")
    state: str = Field(description="open, provisional or final")
    restated: bool | None = Field(
        description="Whether it changed after it was first published; null of persons: not known"
    )
    percentiles: dict[str, int | None] | None = None
    small: bool = Field(description="Fewer than 10 units: show it in grey")
    interval: tuple[float, float] | None = Field(
        default=None, description="Of shares and net promoter scores: 95 % lie in it"
    )


Counted = Literal["kept", "when_asked"]
"""Whether totals are kept by a definition, or it was counted for this answer."""


class SeriesView(View):
    """A KPI over time."""

    kpi: str
    name: str
    definition: str
    counted: Counted = Field(description="kept: level with the log. when_asked: for this answer")
    unit: str
    scale: int
    as_of: Instant
    series: list[PointView]
    meta: Standing
    note: str | None = Field(default=None, description="What to know about these numbers")


class DefinedView(View):
    """A KPI as one version of its definition counts it."""

    definition: str
    counted: Counted = Field(description="kept: level with the log. when_asked: for this answer")
    series: list[PointView]


class ComparedView(View):
    """The same windows and groups by several definitions."""

    kpi: str
    unit: str
    scale: int
    definitions: list[DefinedView]
    meta: Standing


class FactView(View):
    """What one thing adds to a number."""

    event: str = Field(description="Key of the event that it is dated by, 32 hex digits")
    metric: str
    at: Instant
    num: int
    den: int
    pending: bool = Field(description="Too young to be counted: its look-ahead is not over")
    dims: dict[str, str]
    entity: str = Field(description="ticket, call, survey, order or subject")
    id: str | None = Field(description="The publisher's id of it; null for a person")


class BehindView(View):
    """What a number is made of: facts that are not pending add up to its two parts."""

    kpi: str
    definition: str
    facts: list[FactView]
    next_cursor: str | None
    meta: Standing


class TotalView(View):
    num: int
    den: int


class RestatementView(View):
    """One change of a published day. With `first_published` they add up to what it is now."""

    id: int
    at: Instant
    metric: str = Field(description="Whose totals changed; `fcr@fcr.v2` of another version")
    kpis: list[str] = Field(description="The KPIs that are made of it", examples=[["backlog_end"]])
    day: date
    num: int = Field(description="Added to the numerator")
    den: int = Field(description="Added to the denominator")
    first_published: TotalView
    causes: list[str] = Field(description="Event keys behind it, at most ten")
    kinds: dict[str, int] = Field(description="Types of the causes, and how many")


class LedgerView(View):
    restatements: list[RestatementView]
    next_cursor: str | None
    meta: Standing


class TargetView(View):
    """What a KPI should be; `value` is what it was when the alert last changed."""

    name: str
    kpi: str
    dims: dict[str, str]
    window_days: int
    at_least: float | None
    at_most: float | None
    least_den: int
    raised: bool
    changed_at: Instant | None
    value: float | None


class TargetsView(View):
    targets: list[TargetView]


class AlertsView(View):
    alerts: list[TargetView]


class ModelView(View):
    """A fitted model."""

    kind: str = Field(description="bgnbd: how often. gamma_gamma: how much, in minor units")
    fitted_at: Instant
    as_of: Instant = Field(description="Purchases before this were learned from")
    parameters: dict[str, float]
    log_likelihood: float
    customers: int = Field(description="How many it was learned from")


class ModelsView(View):
    models: list[ModelView] = Field(description="The newest of each kind; none before the first")
    needs: dict[str, int] = Field(description="Below so many nothing is fitted")


class RiskView(View):
    """Buyers whose risk lies in [at_least, below); the last tenth has those at 1 as well."""

    at_least: float
    below: float
    buyers: int


class ForecastView(View):
    """What the models say of all buyers together."""

    as_of: Instant
    fitted_at: Instant
    buyers: int
    repeaters: int
    expected_orders_90d: float = Field(description="Occasions: days on which somebody buys")
    churn_risk_90d: list[RiskView] = Field(description="Of no purchase within 90 days")
    currency: str | None = Field(description="In which most is bought; the others are left out")
    clv_sum: int = Field(description="Of the next 12 months, in minor units")
    clv_mean: float
    margin: float = Field(description="The share of an amount that counts as value")
    correlation: float = Field(description="Of how often with how much")
    warnings: list[str]


class HeadlineView(View):
    """A headline KPI of the last 30 days."""

    kpi: str
    dims: dict[str, str] = Field(description="The currency, where amounts have several")
    num: int
    den: int
    value: float | int | None
    pending: int


class StreamView(View):
    """An event of the stream: `hello` has all headlines, `change` those that changed."""

    event: str = Field(description="hello, change or end")
    kpis: list[HeadlineView] = Field(default=[])
    code: str | None = Field(default=None, description="Of `end`: why")
    resume: bool | None = Field(default=None, description="Of `end`: whether to come again")


class HeldView(View):
    """What counts nowhere yet: its first event is not here."""

    held: dict[str, int] = Field(description="By kind", examples=[{"survey": 2, "ticket": 0}])
