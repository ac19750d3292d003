"""Points, tiers and friends brought along."""

from typing import Annotated, ClassVar

from pydantic import Field

from rapport_events.event import Count, Event, Name
from rapport_events.reference import MaybeOrder, MaybeReason

_Points = Annotated[Count, Field(description="How many points.", examples=[120])]


class PointsEarned(Event):
    """The customer got points."""

    type: ClassVar[str] = "points.earned.v1"

    points: _Points
    reason: MaybeReason = Field(default=None, examples=["purchase"])
    order: MaybeOrder = None


class PointsRedeemed(Event):
    """The customer spent points."""

    type: ClassVar[str] = "points.redeemed.v1"

    points: _Points
    reason: MaybeReason = Field(default=None, examples=["voucher"])
    order: MaybeOrder = None


class PointsExpired(Event):
    """Points were lost by time."""

    type: ClassVar[str] = "points.expired.v1"

    points: _Points
    reason: MaybeReason = Field(default=None, examples=["two_years"])
    order: MaybeOrder = None


class TierChanged(Event):
    """The customer rose or fell in the loyalty programme."""

    type: ClassVar[str] = "tier.changed.v1"

    before: Name | None = Field(default=None, description="Until now.", examples=["silver"])
    after: Name | None = Field(default=None, description="From now on.", examples=["gold"])


class ReferralMade(Event):
    """The customer told a friend about us."""

    type: ClassVar[str] = "referral.made.v1"

    code: Name | None = Field(default=None, description="The code given on.", examples=["ADA-5"])
    converted: bool | None = Field(
        default=None, description="Did the friend become a customer?", examples=[True]
    )
