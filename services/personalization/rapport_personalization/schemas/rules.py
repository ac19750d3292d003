"""Triggers and policies as the API answers them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from rapport_events.envelope import Channel
from rapport_runtime.http.views import Instant, View

from rapport_personalization.schemas.clock import ClockTime
from rapport_personalization.schemas.trigger import TriggerDocument
from rapport_personalization.settings import PolicySettings


class TriggerView(View):
    """One version of a trigger."""

    id: str
    version: int
    state: Literal["draft", "shadow", "live", "paused", "retired"] = Field(
        description="shadow: decides, and never acts"
    )
    document: TriggerDocument
    source: str = Field(description="As it was written, comments and all")
    created_at: Instant
    created_by: str
    since: Instant | None = Field(description="Events before it start nothing")
    changed_at: Instant
    changed_by: str | None
    offers_issued: int


class TriggersView(View):
    """Of each trigger what is in force, or else its newest version."""

    triggers: list[TriggerView]


class VersionsView(View):
    """All versions of a trigger, the newest first."""

    versions: list[TriggerView]


class PoliciesView(View):
    """What every trigger observes."""

    version: int = Field(description="0: the settings of the deployment")
    policies: PolicySettings
    created_at: Instant | None
    created_by: str | None


_Cap = Annotated[int, Field(ge=0, le=100)]


class AskedPolicies(BaseModel):
    """Policies to hold from now on; what is left out stays as it is. Null takes a limit away."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: str | None = Field(default=None, max_length=64, examples=["Europe/Berlin"])
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = None
    quiet_from: ClockTime | None = None
    quiet_until: ClockTime | None = None
    a_day: _Cap | None = None
    a_week: _Cap | None = None
    offers_a_month: Annotated[int, Field(ge=0, le=10**9)] | None = None
    suppressed_channels: frozenset[Channel] | None = None
    bad_score_days: Annotated[int, Field(ge=0, le=365)] | None = None
    control: Annotated[int, Field(ge=0, le=10_000)] | None = None
    leap_birthday: Literal["02-28", "03-01"] | None = None
