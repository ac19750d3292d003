"""Contracts that renew, and the invoices of them."""

from typing import Annotated, ClassVar

from pydantic import Field

from rapport_events.event import Event, Name, Ref
from rapport_events.reference import MaybeAmount, MaybeCurrency, MaybeDue, MaybeReason

_Subscription = Annotated[
    Ref, Field(description="The publisher's id of the subscription.", examples=["sub-44"])
]
_Plan = Annotated[Name | None, Field(description="The plan.", examples=["pro"])]
_Period = Annotated[Name | None, Field(description="What the amount pays for.", examples=["month"])]
_Invoice = Annotated[
    Ref, Field(description="The publisher's id of the invoice.", examples=["I-90"])
]


class SubscriptionStarted(Event):
    """A subscription began."""

    type: ClassVar[str] = "subscription.started.v1"

    subscription: _Subscription
    plan: _Plan = None
    amount: MaybeAmount = None
    currency: MaybeCurrency = None
    period: _Period = None
    reason: MaybeReason = Field(default=None, examples=["campaign"])


class SubscriptionRenewed(Event):
    """A subscription went into its next period."""

    type: ClassVar[str] = "subscription.renewed.v1"

    subscription: _Subscription
    plan: _Plan = None
    amount: MaybeAmount = None
    currency: MaybeCurrency = None
    period: _Period = None
    reason: MaybeReason = Field(default=None, examples=["automatic"])


class SubscriptionChanged(Event):
    """A subscription has another plan, price or period from now on."""

    type: ClassVar[str] = "subscription.changed.v1"

    subscription: _Subscription
    plan: _Plan = None
    amount: MaybeAmount = None
    currency: MaybeCurrency = None
    period: _Period = None
    reason: MaybeReason = Field(default=None, examples=["upgrade"])


class SubscriptionCancellationRequested(Event):
    """The customer wants out; nothing is decided yet."""

    type: ClassVar[str] = "subscription.cancellation_requested.v1"

    subscription: _Subscription
    reason: MaybeReason = Field(default=None, examples=["too_expensive"])


class SubscriptionCancelled(Event):
    """A subscription will not renew."""

    type: ClassVar[str] = "subscription.cancelled.v1"

    subscription: _Subscription
    plan: _Plan = None
    amount: MaybeAmount = None
    currency: MaybeCurrency = None
    period: _Period = None
    reason: MaybeReason = Field(default=None, examples=["too_expensive"])


class SubscriptionEnded(Event):
    """The last paid period of a subscription is over."""

    type: ClassVar[str] = "subscription.ended.v1"

    subscription: _Subscription
    plan: _Plan = None
    amount: MaybeAmount = None
    currency: MaybeCurrency = None
    period: _Period = None
    reason: MaybeReason = Field(default=None, examples=["cancelled"])


class InvoiceIssued(Event):
    """The customer was asked to pay."""

    type: ClassVar[str] = "invoice.issued.v1"

    invoice: _Invoice
    amount: MaybeAmount = None
    currency: MaybeCurrency = None
    due: MaybeDue = None


class InvoicePaid(Event):
    """The customer paid."""

    type: ClassVar[str] = "invoice.paid.v1"

    invoice: _Invoice
    amount: MaybeAmount = None
    currency: MaybeCurrency = None
    due: MaybeDue = None


class InvoiceDisputed(Event):
    """The customer does not agree with an invoice."""

    type: ClassVar[str] = "invoice.disputed.v1"

    invoice: _Invoice
    amount: MaybeAmount = None
    currency: MaybeCurrency = None
    due: MaybeDue = None
    reason: MaybeReason = Field(default=None, examples=["wrong_amount"])
