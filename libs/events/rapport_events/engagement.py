"""What we decide to do for a customer, and why."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from rapport_events.envelope import Channel
from rapport_events.event import PII, Event, Minor, Name, Ref, Timestamp
from rapport_events.reference import MaybeAgent, MaybeCurrency, MaybeOrder, MaybeReason

_Kind = Annotated[Name | None, Field(description="What kind of offer.", examples=["discount"])]
_Code = Annotated[Name | None, Field(description="The code to enter.", examples=["SPRING10"])]
_Value = Annotated[
    Minor | None, Field(description="Worth, minor units of the currency.", examples=[500])
]
_Expires = Annotated[
    Timestamp | None, Field(description="Valid until.", examples=["2026-04-01T00:00:00Z"])
]


class Fact(BaseModel):
    """One reason of a decision, with the events that prove it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    fact: Name = Field(description="What was known.", examples=["days_since_order"])
    value: Name | None = Field(default=None, description="Its value, as text.", examples=["61"])
    events: Annotated[list[Ref], Field(max_length=100)] | None = Field(
        default=None,
        description="Event keys, hexadecimal.",
        examples=[["5d41402abc4b2a76b9719d911017c592"]],
    )


class DecisionMade(Event):
    """We decided to do something for a customer, or not to, and this is why."""

    type: ClassVar[str] = "decision.made.v1"

    decision: Ref = Field(description="Id of the decision.", examples=["d-55"])
    trigger: Name | None = Field(default=None, description="The rule.", examples=["win_back"])
    version: Name | None = Field(default=None, description="Version of the rule.", examples=["4"])
    anchor: Ref | None = Field(
        default=None,
        description="What it is counted from: an event key, or a day.",
        examples=["5d41402abc4b2a76b9719d911017c592"],
    )
    due: Timestamp | None = Field(
        default=None, description="When to act.", examples=["2026-03-09T09:00:00Z"]
    )
    outcome: Name | None = Field(
        default=None, description="sent, holdout, cancelled, no_consent …", examples=["sent"]
    )
    gate: Name | None = Field(
        default=None, description="The gate that stopped it.", examples=["frequency_cap"]
    )
    facts: Annotated[list[Fact], Field(max_length=100)] | None = Field(
        default=None,
        description="The reasons.",
        examples=[[{"fact": "days_since_order", "value": "61"}]],
    )
    goal: Name | None = Field(
        default=None, description="What it is meant to bring about.", examples=["order.placed"]
    )
    kind: Literal["task", "service", "marketing"] | None = Field(
        default=None, description="Class of the trigger.", examples=["marketing"]
    )
    send_at: Timestamp | None = Field(
        default=None,
        description="When it was decided for: due, or the end of the quiet hours.",
        examples=["2026-03-09T09:00:00Z"],
    )
    shadow: bool | None = Field(
        default=None, description="Decided for comparison only; nothing follows.", examples=[False]
    )
    arm: Literal["treated", "control"] | None = Field(
        default=None, description="Of the hold-out test.", examples=["treated"]
    )
    channel: Channel | None = Field(
        default=None, description="How they are told.", examples=["email"]
    )


class ActionRequested(Event):
    """Somebody has to be told something; the sender takes it from here."""

    type: ClassVar[str] = "action.requested.v1"

    action: Ref = Field(description="Id of the action.", examples=["act-301"])
    decision: Ref | None = Field(
        default=None, description="The decision behind it.", examples=["d-55"]
    )
    channel: Channel | None = Field(default=None, description="How.", examples=["email"])
    template: Name | None = Field(default=None, description="The template.", examples=["win_back"])
    variables: Annotated[dict[str, Any] | None, PII] = Field(
        default=None, description="What the template needs.", examples=[{"first_name": "Ada"}]
    )
    offer: Ref | None = Field(
        default=None, description="The offer in the message.", examples=["offer-12"]
    )
    survey: Ref | None = Field(
        default=None, description="The invitation in the message.", examples=["v-237"]
    )
    purpose: Literal["marketing", "service"] | None = Field(
        default=None, description="Which consent it rests on.", examples=["service"]
    )
    language: Name | None = Field(
        default=None, description="BCP 47 tag of the message.", examples=["en"]
    )
    expires: Timestamp | None = Field(
        default=None, description="Pointless after.", examples=["2026-04-01T00:00:00Z"]
    )


class SuggestionMade(Event):
    """There is something that an agent might do for a customer now, and why."""

    type: ClassVar[str] = "suggestion.made.v1"

    suggestion: Ref = Field(description="Id of the suggestion.", examples=["sug-8"])
    trigger: Name | None = Field(default=None, description="The rule.", examples=["payment_failed"])
    priority: Annotated[int, Field(ge=0, le=1_000)] | None = Field(
        default=None, description="The greater the sooner.", examples=[720]
    )
    ref: Ref | None = Field(
        default=None, description="What it is about, as kind:id.", examples=["order:A-1001"]
    )
    due: Timestamp | None = Field(
        default=None, description="By when.", examples=["2026-03-09T09:00:00Z"]
    )
    value: _Value = None
    currency: MaybeCurrency = None
    facts: Annotated[list[Fact], Field(max_length=100)] | None = Field(
        default=None,
        description="The reasons.",
        examples=[[{"fact": "amount", "value": "4900"}]],
    )


class SuggestionWithdrawn(Event):
    """What was suggested for a customer need not, or must not, be done any more."""

    type: ClassVar[str] = "suggestion.withdrawn.v1"

    suggestion: Ref = Field(description="Id of the suggestion.", examples=["sug-8"])
    trigger: Name | None = Field(default=None, description="The rule.", examples=["payment_failed"])
    reason: MaybeReason = None


class SuggestionAccepted(Event):
    """An agent did what was suggested for a customer."""

    type: ClassVar[str] = "suggestion.accepted.v1"

    suggestion: Ref = Field(description="Id of the suggestion.", examples=["sug-8"])
    trigger: Name | None = Field(default=None, description="The rule.", examples=["win_back"])
    agent: MaybeAgent = None


class SuggestionDismissed(Event):
    """An agent decided against what was suggested for a customer."""

    type: ClassVar[str] = "suggestion.dismissed.v1"

    suggestion: Ref = Field(description="Id of the suggestion.", examples=["sug-8"])
    trigger: Name | None = Field(default=None, description="The rule.", examples=["win_back"])
    agent: MaybeAgent = None
    reason: MaybeReason = None


class OfferIssued(Event):
    """A customer was given an offer."""

    type: ClassVar[str] = "offer.issued.v1"

    offer: Ref = Field(description="Id of the offer.", examples=["offer-12"])
    kind: _Kind = None
    code: _Code = None
    value: _Value = None
    currency: MaybeCurrency = None
    expires: _Expires = None


class OfferRedeemed(Event):
    """A customer used an offer."""

    type: ClassVar[str] = "offer.redeemed.v1"
    segment: ClassVar[tuple[str, ...]] = ("Coupon Applied",)

    offer: Ref | None = Field(default=None, description="Id of the offer.", examples=["offer-12"])
    kind: _Kind = None
    code: _Code = None
    value: _Value = None
    currency: MaybeCurrency = None
    expires: _Expires = None
    order: MaybeOrder = None
