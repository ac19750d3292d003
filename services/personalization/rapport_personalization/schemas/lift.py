"""What a trigger brings, as the API answers it."""

from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from rapport_runtime.http.views import Instant, View


class LiftQuery(BaseModel):
    """The query string."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    version: int | None = Field(default=None, ge=1, description="Absent: the one in force")
    start: AwareDatetime | None = Field(
        default=None, alias="from", description="Decisions for this instant and later"
    )
    as_of: AwareDatetime | None = Field(default=None, description="By what had happened by then")
    base: float | None = Field(
        default=None, gt=0, lt=1, description="Share that converts untreated, as planned"
    )
    wanted: float | None = Field(
        default=None, gt=0, lt=1, description="Share that would be worth it, as planned"
    )

    @model_validator(mode="after")
    def _plans_with_both(self) -> Self:
        if (self.base is None) != (self.wanted is None) or (
            self.base is not None and self.base == self.wanted
        ):
            raise ValueError("give two different shares, `base` and `wanted`, or neither")
        return self


class ArmView(View):
    """Decisions whose time for the goal is over, and those that reached it."""

    units: int
    conversions: int
    share: float | None


class SpentView(View):
    """The people of an arm, and what each spent on average, in minor units."""

    people: int
    per_person: float | None


class RevenueView(View):
    """Net revenue per person in one currency, of orders placed in the time for the goal."""

    currency: str
    treated: SpentView
    control: SpentView
    difference: float | None = Field(description="What a treated person spends more, minor units")
    t: float | None
    p: float | None = Field(description="Welch's t, two-sided")
    verdict: Literal["not_yet", "no_difference_seen", "better", "worse"]
    reason: str


class LiftView(View):
    """By intention to treat; held-out people are the control (kpis.md 6.5)."""

    trigger: str
    version: str
    goal: str
    within_seconds: int
    as_of: Instant
    treated: ArmView
    control: ArmView
    pending: int = Field(description="Decisions whose time for the goal is not over")
    mixed: int = Field(description="People merged of both arms: in neither")
    uplift: float | None
    relative: float | None
    incremental: float | None = Field(description="Conversions that would not have been")
    z: float | None
    p: float | None
    interval: list[float] | None = Field(description="95 %, of the uplift (Newcombe)")
    verdict: Literal["not_yet", "no_difference_seen", "better", "worse"]
    reason: str
    planned: int | None = Field(description="Units per arm at which it is judged")
    revenue: list[RevenueView] = Field(description="By currency, for the orders there were")
