"""What we conclude about a customer from everything that happened."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rapport_events.event import Event, Timestamp
from rapport_events.reference import MaybeCurrency, MaybeDefinition

Stage = Literal["prospect", "new", "active", "loyal", "at_risk", "lapsed", "churned", "won_back"]


class LifecycleStageChanged(Event):
    """A customer moved from one stage of the lifecycle to another."""

    type: ClassVar[str] = "lifecycle.stage_changed.v1"

    before: Stage | None = Field(default=None, description="Until then.", examples=["active"])
    after: Stage = Field(description="From then on.", examples=["at_risk"])
    at: Timestamp | None = Field(
        default=None,
        description="The instant of the change, which may be a boundary in time.",
        examples=["2026-03-09T00:00:00Z"],
    )
    definition: MaybeDefinition = None
    reason: Literal["event", "time", "restated"] | None = Field(
        default=None,
        description="restated: the past turned out to be different.",
        examples=["time"],
    )


class ScoreUpdated(Event):
    """A prediction about a customer has a new value."""

    type: ClassVar[str] = "score.updated.v1"

    score: Literal["clv", "churn_risk", "effort"] = Field(
        description="Which prediction.", examples=["clv"]
    )
    value: Annotated[float, Field(allow_inf_nan=False)] | None = Field(
        default=None,
        description="clv: minor units of the currency; churn_risk, effort: 0 to 1.",
        examples=[12900],
    )
    currency: MaybeCurrency = None
    definition: MaybeDefinition = None
    as_of: Timestamp | None = Field(
        default=None, description="What was known by then.", examples=["2026-03-09T00:00:00Z"]
    )
