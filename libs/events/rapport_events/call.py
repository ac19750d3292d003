"""What is said on the phone, seen from the switch."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rapport_events.event import PII, Count, Event, Name, Ref, Seconds
from rapport_events.reference import MaybeAgent, MaybeTeam, MaybeTicket, MaybeTopic

_Call = Annotated[Ref, Field(description="The publisher's id of the call.", examples=["f-207"])]
_Wait = Annotated[
    Seconds | None, Field(description="Seconds in the queue before this.", examples=[24])
]


class CallOffered(Event):
    """A call came in, or was dialled."""

    type: ClassVar[str] = "call.offered.v1"

    call: _Call
    topic: MaybeTopic = None
    queue: Name | None = Field(default=None, description="The queue it is in.", examples=["main"])
    direction: Literal["in", "out"] | None = Field(
        default=None, description="in: the customer called; out: we did.", examples=["in"]
    )


class CallAnswered(Event):
    """An agent took the call."""

    type: ClassVar[str] = "call.answered.v1"

    call: _Call
    agent: MaybeAgent = None
    team: MaybeTeam = None
    wait: _Wait = None


class CallAbandoned(Event):
    """The caller hung up before anybody answered."""

    type: ClassVar[str] = "call.abandoned.v1"

    call: _Call
    wait: _Wait = None


class CallLegEnded(Event):
    """One agent's part of a call is over. The same leg again replaces the earlier figures."""

    type: ClassVar[str] = "call.leg_ended.v1"

    call: _Call
    leg: Count | None = Field(default=None, description="1 for the first agent.", examples=[1])
    agent: MaybeAgent = None
    team: MaybeTeam = None
    talk: Seconds | None = Field(default=None, description="Seconds of talk.", examples=[321])
    hold: Seconds | None = Field(default=None, description="Seconds on hold.", examples=[28])
    wrap: Seconds | None = Field(default=None, description="Seconds of after-work.", examples=[17])
    transferred: bool | None = Field(
        default=None, description="Handed to another agent?", examples=[False]
    )
    ticket: MaybeTicket = None


class CallbackRequested(Event):
    """The customer asked to be called."""

    type: ClassVar[str] = "callback.requested.v1"

    phone: Annotated[Ref | None, PII] = Field(
        default=None, description="The number to call.", examples=["+4930901820"]
    )
    window: Name | None = Field(
        default=None, description="When, as the publisher words it.", examples=["today 14-16"]
    )
    topic: MaybeTopic = None
