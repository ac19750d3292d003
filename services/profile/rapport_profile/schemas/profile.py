"""The 360° view of one customer."""

from typing import Literal

from pydantic import Field
from rapport_runtime.http.views import Instant, View

from rapport_profile.domain.lifecycle import Stage
from rapport_profile.schemas.base import Json, Meta, SourceView, Text
from rapport_profile.schemas.issues import IssueView
from rapport_profile.schemas.work import CommitmentView, NextActionView, NoteView, TaskView


class IdentityView(View):
    """One identifier of the person."""

    kind: str = Field(examples=["email"])
    value: Text = Field(examples=["ada@example.com"])
    subject: str = Field(description="The subject of this identifier; merges keep it")
    since: Instant | None


class TraitView(SourceView):
    """What somebody said of the person, and who said so last."""

    value: Json


class PreferenceView(SourceView):
    value: str


class ConsentView(SourceView):
    """The newest word on one channel and purpose."""

    channel: str | None = Field(description="Null: every channel that no newer word is about")
    purpose: str
    granted: bool
    proof: str | None
    policy_version: str | None


class LifecycleView(View):
    """Where the customer stands now."""

    stage: Stage
    since: Instant | None = Field(description="When the stage began; null for a prospect")
    definition: str = Field(examples=["lifecycle.v1"])


class OrderView(View):
    """An order; amounts in minor units of `currency`."""

    order: str
    placed_at: Instant | None
    amount: int | None
    refunded: int
    net: int | None
    currency: str | None
    store: str | None
    shipped_at: Instant | None
    eta: Instant | None
    delayed: bool
    delivered_at: Instant | None
    cancelled_at: Instant | None
    returns: dict[str, str] = Field(description="Return id to its state")


class MoneyView(View):
    """What the valid orders of one currency are worth, in minor units."""

    orders: int
    gross: int
    refunded: int
    net: int


class OrdersView(View):
    count: int = Field(description="Orders placed and not refunded in full")
    open: list[OrderView] = Field(description="Neither delivered nor cancelled, newest first")
    last: OrderView | None
    value: dict[str, MoneyView] = Field(description="By currency", examples=[{}])


class MessageView(View):
    """The last message of a ticket."""

    time: Instant
    direction: str | None = Field(description="`in` from the customer, `out` to them")
    event: str


class TicketView(View):
    """A request of the customer that is not resolved."""

    ticket: str
    topic: str | None
    about: str | None
    priority: str | None
    channel: str | None
    state: Literal["open", "pending", "resolved"]
    waiting_for: str | None
    agent: str | None
    team: str | None
    created_at: Instant | None
    messages_in: int
    messages_out: int
    last_message: MessageView | None
    reopened: int
    escalated_to: str | None


class TicketsView(View):
    count: int
    open: list[TicketView] = Field(description="Open and pending, oldest first")


class CallView(View):
    """A telephone call; durations in seconds."""

    call: str
    offered_at: Instant | None
    direction: str | None
    topic: str | None
    queue: str | None
    agent: str | None
    team: str | None
    wait: int | None
    outcome: Literal["waiting", "answered", "abandoned"]
    handle_time: int
    transferred: bool
    ticket: str | None


class CallsView(View):
    count: int
    recent: list[CallView] = Field(description="The newest ten")


class SatisfactionView(SourceView):
    """The last answer of one kind about one thing."""

    kind: str
    about: str | None
    score: int | None
    comment: Text
    survey: str
    revision: int


class TouchView(SourceView):
    """The last contact over a channel, in either direction."""

    type: str


class PlanView(View):
    """A paid plan; amount in minor units a period."""

    subscription: str
    state: Literal["active", "cancelling", "cancelled", "ended"]
    plan: str | None
    amount: int | None
    currency: str | None
    period: str | None
    started_at: Instant | None


class LoyaltyView(View):
    points: int


class ProfileView(View):
    """One customer, as their events tell it. Parts that were not asked for are absent."""

    subject: str = Field(description="The person's own subject id: use it from now on")
    subjects: list[str] = Field(description="Every subject of the person")
    first_seen: Instant | None
    last_seen: Instant | None
    identities: list[IdentityView] | None = None
    traits: dict[str, TraitView] | None = None
    preferences: dict[str, PreferenceView] | None = None
    consents: list[ConsentView] | None = None
    lifecycle: LifecycleView | None = None
    scores: dict[str, PreferenceView] | None = None
    orders: OrdersView | None = None
    issues: list[IssueView] | None = Field(
        default=None, description="Open issues over all channels, the newest first"
    )
    tickets: TicketsView | None = None
    calls: CallsView | None = None
    satisfaction: list[SatisfactionView] | None = None
    last_touch: dict[str, TouchView] | None = Field(default=None, description="By channel")
    tasks: list[TaskView] | None = Field(
        default=None, description="Open tasks, the first due first"
    )
    commitments: list[CommitmentView] | None = Field(
        default=None, description="Promises still to keep"
    )
    notes: list[NoteView] | None = Field(default=None, description="Pinned notes, newest first")
    next_actions: list[NextActionView] | None = Field(
        default=None, description="What to do for them next, the most urgent first"
    )
    subscriptions: list[PlanView] | None = None
    loyalty: LoyaltyView | None = None
    events: dict[str, int] | None = Field(
        default=None, description="Event type to the number of events"
    )
    meta: Meta


PARTS = frozenset(ProfileView.model_fields) - {
    "subject", "subjects", "first_seen", "last_seen", "meta",
}  # fmt: skip
"""What `include=` may name."""
