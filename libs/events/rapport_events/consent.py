"""What the customer allows, and how they like to be spoken to."""

from typing import ClassVar, Literal

from pydantic import Field

from rapport_events.envelope import Channel
from rapport_events.event import Event, Name, Ref, Timestamp
from rapport_events.reference import MaybeReason

Purpose = Literal["marketing", "service", "profiling"]


class ConsentGranted(Event):
    """The customer allowed a use of a channel."""

    type: ClassVar[str] = "consent.granted.v1"

    channel: Channel | None = Field(
        default=None,
        description="The channel allowed; none means every channel.",
        examples=["email"],
    )
    purpose: Purpose = Field(description="What for.", examples=["marketing"])
    proof: Ref | None = Field(
        default=None, description="Where the proof is kept.", examples=["form-8812"]
    )
    policy_version: Name | None = Field(
        default=None, description="The text they agreed to.", examples=["2026-01"]
    )


class ConsentWithdrawn(Event):
    """The customer took a permission back."""

    type: ClassVar[str] = "consent.withdrawn.v1"

    channel: Channel | None = Field(
        default=None,
        description="The channel refused; none means every channel.",
        examples=["email"],
    )
    purpose: Purpose = Field(description="What for.", examples=["marketing"])
    proof: Ref | None = Field(
        default=None, description="Where the proof is kept.", examples=["unsubscribe-link"]
    )
    policy_version: Name | None = Field(
        default=None, description="The text it was given under.", examples=["2026-01"]
    )


class PreferenceChanged(Event):
    """The customer said how they like to be spoken to."""

    type: ClassVar[str] = "preference.changed.v1"

    language: Name | None = Field(default=None, description="BCP 47 tag.", examples=["en"])
    tz: Name | None = Field(default=None, description="IANA time zone.", examples=["Europe/London"])
    preferred_channel: Channel | None = Field(
        default=None, description="Where they would rather be reached.", examples=["sms"]
    )
    quiet_hours: str | None = Field(
        default=None,
        pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$",
        description="No messages from-to, in their time zone.",
        examples=["21:00-08:00"],
    )


class ContactSuppressed(Event):
    """We decided not to write to the customer, whatever they allow."""

    type: ClassVar[str] = "contact.suppressed.v1"

    scope: Literal["marketing", "everything"] = Field(
        description="What is not written about.", examples=["everything"]
    )
    until: Timestamp | None = Field(
        default=None,
        description="From then on we may again; none: until it is taken back.",
        examples=["2026-06-01T00:00:00Z"],
    )
    reason: MaybeReason = Field(default=None, examples=["in_court"])


class ContactResumed(Event):
    """A decision not to write to the customer was taken back."""

    type: ClassVar[str] = "contact.resumed.v1"

    reason: MaybeReason = Field(default=None, examples=["settled"])
