"""What a customer went through to get something settled."""

from pydantic import Field
from rapport_runtime.http.views import Instant, View

from rapport_profile.domain.attempts.contact import Kind, Outcome
from rapport_profile.domain.attempts.issue import IssueState
from rapport_profile.domain.attempts.union import Rule
from rapport_profile.schemas.base import Meta, Text


class SpokeView(View):
    """Somebody of us who spoke to the customer."""

    agent: str | None
    team: str | None


class AttemptView(View):
    """One try, on one channel."""

    contact: str = Field(
        description="The contact, as kind:id: what `issue.corrected` names", examples=["call:f-207"]
    )
    kind: Kind
    because: Rule | None = Field(
        description="Why it is part of this issue; null for what the issue began with"
    )
    channel: str | None
    started_at: Instant
    last_at: Instant
    outcome: Outcome | None
    ours: bool = Field(description="We turned to the customer")
    topic: str | None
    words: Text = Field(description="The customer's own words: a subject line, a message, a post")
    articles: list[str]
    searches: list[Text] = Field(description="What was searched for in help")
    intent: str | None
    place: str | None = Field(description="Store, social network or page")
    purpose: str | None = Field(
        description="Of a visit, an appointment or a return; hours of a callback; an error's code"
    )
    spoke_to: list[SpokeView]
    messages_in: int
    messages_out: int = Field(description="Those of people; a bot's do not count")
    event: str = Field(description="Key of its first event, 32 hex digits")


class MeetingView(SpokeView):
    channel: str | None
    at: Instant = Field(description="When last")


class CallbackView(View):
    """A call that was asked for and that nobody has made."""

    asked_at: Instant
    window: str | None
    topic: str | None
    event: str


class DoNotAskView(View):
    """What the customer already gave or did about this issue."""

    known_by: list[str] = Field(description="Kinds of identifiers that their contacts came with")
    topic: str | None
    about: str | None = Field(description="product or service")
    orders: list[str]
    tickets: list[str]
    in_their_words: list[Text] = Field(description="How they described it, oldest first")
    articles: list[str] = Field(description="Help articles that they read")
    searches: list[Text] = Field(description="What they searched for in help")
    intents: list[str] = Field(description="What they already asked the bot")
    spoke_to: list[MeetingView]
    callbacks_waiting: list[CallbackView]
    promised: list[str] = Field(description="Open commitments about its tickets or contacts")


class IssueView(View):
    """One thing that a customer wants settled, over all channels."""

    issue: str = Field(
        description="Its first ticket, else its first contact", examples=["ticket:T-1042"]
    )
    state: IssueState = Field(
        description="quiet: nobody said how it ended, and nothing was heard for a week"
    )
    topic: str | None
    opened_at: Instant
    last_at: Instant
    attempts: list[AttemptView] = Field(description="Oldest first; at most the newest hundred")
    do_not_ask_again: DoNotAskView


class IssuesView(View):
    """A page of a customer's issues, the newest first."""

    subject: str
    issues: list[IssueView]
    next_cursor: str | None
    meta: Meta
