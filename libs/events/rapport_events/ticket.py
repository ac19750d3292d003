"""What customers ask for, and what becomes of it, on any channel."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rapport_events.event import PII, Event, Name, Priority, Text
from rapport_events.reference import (
    MaybeAgent,
    MaybeReason,
    MaybeSentiment,
    MaybeTeam,
    MaybeTopic,
    TicketId,
)


class TicketCreated(Event):
    """A customer asked for something."""

    type: ClassVar[str] = "ticket.created.v1"

    ticket: TicketId
    topic: MaybeTopic = None
    about: Literal["product", "service"] | None = Field(
        default=None, description="What we sell, or how we serve.", examples=["service"]
    )
    priority: Priority | None = Field(default=None, description="How urgent.", examples=["high"])
    subject: Annotated[Text | None, PII] = Field(
        default=None, description="The subject line.", examples=["Where is my parcel?"]
    )
    body: Annotated[Text | None, PII] = Field(
        default=None, description="What they wrote.", examples=["It should have come on Monday."]
    )


class TicketAssigned(Event):
    """A ticket was given to an agent or a team."""

    type: ClassVar[str] = "ticket.assigned.v1"

    ticket: TicketId
    agent: MaybeAgent = None
    team: MaybeTeam = None


class TicketMessage(Event):
    """Something was said in a ticket, by the customer (in) or to them (out)."""

    type: ClassVar[str] = "ticket.message.v1"

    ticket: TicketId
    direction: Literal["in", "out"] | None = Field(
        default=None, description="in: from the customer; out: to them.", examples=["in"]
    )
    agent: MaybeAgent = None
    bot: bool | None = Field(
        default=None, description="Written by a machine: never counts as a reply.", examples=[False]
    )
    public: bool | None = Field(
        default=None, description="Can the customer read it?", examples=[True]
    )
    sentiment: MaybeSentiment = None
    body: Annotated[Text | None, PII] = Field(
        default=None, description="What was said.", examples=["Still nothing, Ada"]
    )


class TicketPriorityChanged(Event):
    """A ticket became more or less urgent."""

    type: ClassVar[str] = "ticket.priority_changed.v1"

    ticket: TicketId
    before: Priority | None = Field(default=None, description="Until now.", examples=["normal"])
    after: Priority | None = Field(default=None, description="From now on.", examples=["high"])


class TicketTopicChanged(Event):
    """A ticket turned out to be about something else."""

    type: ClassVar[str] = "ticket.topic_changed.v1"

    ticket: TicketId
    before: Name | None = Field(default=None, description="Until now.", examples=["delivery"])
    after: Name | None = Field(default=None, description="From now on.", examples=["billing"])


class TicketPending(Event):
    """Nothing can be done until somebody else answers."""

    type: ClassVar[str] = "ticket.pending.v1"

    ticket: TicketId
    waiting_for: Literal["customer", "third_party"] | None = Field(
        default=None, description="Whose turn it is.", examples=["customer"]
    )


class TicketResolved(Event):
    """An agent closed the ticket as solved."""

    type: ClassVar[str] = "ticket.resolved.v1"

    ticket: TicketId
    agent: MaybeAgent = None
    team: MaybeTeam = None
    resolution: Annotated[Text | None, PII] = Field(
        default=None, description="How, in the agent's words.", examples=["Sent a new one"]
    )


class TicketReopened(Event):
    """A resolved ticket was not resolved after all."""

    type: ClassVar[str] = "ticket.reopened.v1"

    ticket: TicketId
    reason: MaybeReason = Field(default=None, examples=["not_solved"])


class TicketEscalated(Event):
    """A ticket went to a team that can do more."""

    type: ClassVar[str] = "ticket.escalated.v1"

    ticket: TicketId
    to_team: Name | None = Field(default=None, description="Which team.", examples=["tier2"])
    reason: MaybeReason = Field(default=None, examples=["needs_engineer"])
