"""What the figures say, and when they say something else."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rapport_events.event import Event, Name, Ref, Timestamp
from rapport_events.reference import MaybeCurrency, MaybeDefinition

_Kpi = Annotated[Name, Field(description="The figure.", examples=["nps"])]
_Dims = Annotated[
    dict[str, Name | None] | None,
    Field(max_length=20, description="The breakdown it is of.", examples=[{"channel": "email"}]),
]
_Part = Annotated[int, Field(ge=-(2**62), le=2**62)]
_Value = Annotated[float, Field(allow_inf_nan=False)]


class KpiRestated(Event):
    """A figure of a closed window changed, because something about the past became known."""

    type: ClassVar[str] = "kpi.restated.v1"

    kpi: _Kpi
    definition: MaybeDefinition = None
    window: Name | None = Field(
        default=None, description="The period, ISO 8601.", examples=["2026-02"]
    )
    dims: _Dims = None
    num_before: _Part | None = Field(default=None, description="Numerator before.", examples=[41])
    den_before: _Part | None = Field(default=None, description="Denominator before.", examples=[97])
    num_after: _Part | None = Field(default=None, description="Numerator after.", examples=[40])
    den_after: _Part | None = Field(default=None, description="Denominator after.", examples=[97])
    cause: Name | None = Field(default=None, description="Why.", examples=["late_event"])
    cause_events: Annotated[list[Ref], Field(max_length=100)] | None = Field(
        default=None,
        description="Keys of the events behind it, hexadecimal.",
        examples=[["5d41402abc4b2a76b9719d911017c592"]],
    )


class AlertRaised(Event):
    """A figure left the range it should stay in."""

    type: ClassVar[str] = "alert.raised.v1"

    alert: Ref = Field(description="Id of the alert.", examples=["al-4"])
    kpi: _Kpi
    dims: _Dims = None
    value: _Value | None = Field(default=None, description="What it is.", examples=[18.5])
    target: _Value | None = Field(default=None, description="What it should be.", examples=[30.0])


class AlertCleared(Event):
    """A figure is back in its range."""

    type: ClassVar[str] = "alert.cleared.v1"

    alert: Ref = Field(description="Id of the alert.", examples=["al-4"])
    kpi: _Kpi
    dims: _Dims = None
    value: _Value | None = Field(default=None, description="What it is.", examples=[31.2])
    target: _Value | None = Field(default=None, description="What it should be.", examples=[30.0])


class ModelFitted(Event):
    """The parameters of a prediction were estimated anew."""

    type: ClassVar[str] = "model.fitted.v1"

    model: Literal["bgnbd", "gamma_gamma"] = Field(
        description="Which model of buyers.", examples=["bgnbd"]
    )
    parameters: Annotated[dict[Name, _Value], Field(max_length=20)] = Field(
        description="By the names of the literature.",
        examples=[{"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}],
    )
    definition: MaybeDefinition = None
    as_of: Timestamp | None = Field(
        default=None, description="What was known by then.", examples=["2026-03-09T00:00:00Z"]
    )
    buyers: Annotated[int, Field(ge=0, le=2**53)] | None = Field(
        default=None, description="How many it was estimated from.", examples=[2357]
    )
    currency: MaybeCurrency = None
