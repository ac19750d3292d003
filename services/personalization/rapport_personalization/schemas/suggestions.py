"""Suggestions to agents as the API answers them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from rapport_runtime.http.views import Instant, Standing, View

from rapport_personalization.domain.suggestions import Why

State = Literal["open", "withdrawn", "accepted", "dismissed"]


class FactView(View):
    """One thing that was known, and the events that say so."""

    fact: str
    value: str | None = None
    events: list[str] = Field(default=[], description="Keys of events, hexadecimal")


class ActionView(View):
    """Something that an agent might do now."""

    suggestion: str = Field(description="Id to answer it by")
    rule: str = Field(examples=["payment_failed"])
    sentence: str = Field(description="What to do, for a human being")
    priority: int = Field(description="The greater the sooner")
    ref: str | None = Field(description="What it is about, as kind:id")
    since: Instant
    until: Instant | None = Field(description="Pointless after")
    due: Instant | None
    value: int | None = Field(description="At stake, in minor units; null: nobody knows")
    currency: str | None
    facts: list[FactView]


class HeldView(ActionView):
    """Something that was thought of, and had better not be done."""

    why: Why
    because: str = Field(description="The same, for a human being")
    events: list[str] = Field(description="Keys of the events that say so, hexadecimal")
    held_until: Instant | None = Field(description="Null: until one of these events is answered")


class NextActionsView(View):
    """What to do for a customer next: the most urgent first."""

    customer: str
    actions: list[ActionView]
    suppressed: list[HeldView]
    meta: Standing


class AskedDismissal(BaseModel):
    """Why somebody decided against a suggestion."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Literal["not_relevant", "already_done", "customer_declined", "wrong_time", "other"]


class SuggestionView(View):
    """A suggestion, and what came of it."""

    suggestion: str
    customer: str
    rule: str
    ref: str | None
    state: State
    made_at: Instant
    settled_at: Instant | None
    settled_by: str | None
    reason: str | None


class OutcomeView(View):
    """What came of the suggestions of one rule."""

    rule: str
    made: int
    accepted: int
    dismissed: int
    withdrawn: int
    acceptance: float | None = Field(description="Of those that were answered; null: none was")


class OutcomesView(View):
    rules: list[OutcomeView]
