"""A trigger's scenarios as people write them: what happens, and what must be decided."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from rapport_personalization.schemas.trigger import EventName, Name, Wait, seconds

Outcome = Literal[
    "sent",
    "holdout",
    "too_late",
    "erased",
    "suppressed",
    "cancelled",
    "no_consent",
    "no_channel",
    "open_case",
    "recent_bad_score",
    "cooldown",
    "frequency_cap",
]


def _checked(text: str) -> str:
    seconds(text)
    return text


At = Annotated[str, AfterValidator(_checked), Field(description="Since the start.")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class CustomerPart(_Part):
    """Who it is about. By default somebody who may be written to."""

    tz: str = "UTC"
    language: str = "en"
    segment: str | None = None
    birthday: Annotated[str, Field(pattern=r"^\d\d-\d\d$")] | None = None
    consents: bool = True
    reaches: list[str] = Field(default_factory=lambda: ["email"])


class EventPart(BaseModel):
    """Something happens. What else is written is what the event says."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    at: At
    event: EventName
    via: str | None = Field(default=None, description="The channel.")
    told: At | None = Field(default=None, description="When we learn of it, if it is late.")
    repeated: bool = Field(default=False, description="It arrives twice.")
    historical: bool = False


class ExpectPart(_Part):
    """One decision."""

    at: At
    outcome: Outcome
    channel: str | None = None
    anchor: str | None = None
    arm: Literal["treated", "control"] | None = None


class ScenarioPart(_Part):
    """One story."""

    name: Annotated[str, Field(min_length=5, max_length=200)]
    start: str = "2026-03-02T10:00:00+00:00"
    customer: CustomerPart = Field(default_factory=CustomerPart)
    beside: list[Name] = Field(default_factory=list, description="Other triggers that are live.")
    held_out: bool = False
    until: Wait = "365d"
    clv_top: float | None = None
    given: list[EventPart] = Field(default_factory=list)
    expect: list[ExpectPart]


class ScenariosDocument(_Part):
    """The scenarios of one trigger."""

    trigger: Name
    scenarios: Annotated[list[ScenarioPart], Field(min_length=1)]
