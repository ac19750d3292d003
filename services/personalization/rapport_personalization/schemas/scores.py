"""Scores as the API answers them, with what they are made of."""

from datetime import date
from typing import Literal

from pydantic import Field
from rapport_runtime.http.views import Instant, Standing, View

from rapport_personalization.domain.scoring import Reason


class InputsView(View):
    """What is known of somebody's purchases: all that the models ask."""

    x: int = Field(description="Days with a purchase, after the first one")
    t_x: int = Field(description="Days from the first of them to the last")
    T: int = Field(description="Days from the first of them to the last full day")
    monetary: float | None = Field(
        description="Mean of the days after the first, minor units; null: there were none"
    )
    currency: str | None


class ModelView(View):
    """The parameters that a score is made with."""

    model: Literal["bgnbd", "gamma_gamma"]
    id: str = Field(description="Key of the `model.fitted` event, hexadecimal")
    fitted_at: Instant | None
    as_of: Instant = Field(description="What was known when it was fitted")
    buyers: int | None


class ToldView(View):
    """What `score.updated` said last: what triggers go by."""

    value: float
    at: Instant


class ScoreView(View):
    """One prediction."""

    value: float | None
    reason: Reason | Literal["no_amounts"] | None = Field(
        description="Why there is none; null where there is one"
    )
    told: ToldView | None = Field(description="Null: no line was ever crossed")


class ValueView(ScoreView):
    """What they will bring in the next 12 months, in minor units."""

    currency: str | None
    is_top: bool | None = Field(
        description="Whether that is of the most valuable fifth; null while nobody knows"
    )


class PurchaseView(View):
    """When they will buy again."""

    expected_on: date | None = Field(description="By then with a probability of one half")
    purchases: float | None = Field(description="To be expected within the horizon")
    reason: Reason | Literal["unlikely"] | None = Field(
        description="Why there is no day; unlikely: they have probably left"
    )


class ScoresView(View):
    """What is expected of a customer, and why."""

    customer: str
    as_of: Instant = Field(description="What happened before it counts")
    horizon_days: int
    inputs: InputsView | None = Field(description="Null: they never bought")
    models: list[ModelView]
    churn_risk: ScoreView
    next_purchase: PurchaseView
    clv: ValueView
    meta: Standing


class NightView(View):
    """One scoring of everybody."""

    day: date
    phase: Literal["scoring", "telling", "done", "given_up"]
    people: int = Field(description="Scored so far")
    told: int = Field(description="Facts that left")
    clv_top: float | None = Field(description="CLV from which somebody is of the top fifth")
    started_at: Instant
    touched_at: Instant
    finished_at: Instant | None


class NightsView(View):
    """The newest first."""

    nights: list[NightView]
