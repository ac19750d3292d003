"""What became of the messages we send."""

from typing import Annotated, ClassVar

from pydantic import Field

from rapport_events.envelope import Channel
from rapport_events.event import Event, Name, Ref
from rapport_events.reference import MaybeReason

# Real senders leave the message's id out; an unsubscription counts all the same.
_Message = Annotated[
    Ref | None, Field(description="The sender's id of the message.", examples=["m-8801"])
]
_Action = Annotated[
    Ref | None, Field(description="The `action.requested` behind it.", examples=["act-301"])
]
_Template = Annotated[Name | None, Field(description="The template.", examples=["win_back"])]
_Channel = Annotated[Channel | None, Field(description="How it was sent.", examples=["email"])]


class MessageSent(Event):
    """A message left us for the customer."""

    type: ClassVar[str] = "message.sent.v1"

    message: _Message = None
    action: _Action = None
    template: _Template = None
    channel: _Channel = None
    reason: MaybeReason = None


class MessageDelivered(Event):
    """A message reached the customer's inbox or device."""

    type: ClassVar[str] = "message.delivered.v1"
    segment: ClassVar[tuple[str, ...]] = ("Email Delivered", "Push Notification Received")

    message: _Message = None
    action: _Action = None
    template: _Template = None
    channel: _Channel = None
    reason: MaybeReason = None


class MessageBounced(Event):
    """A message could not be delivered."""

    type: ClassVar[str] = "message.bounced.v1"
    segment: ClassVar[tuple[str, ...]] = ("Email Bounced", "Push Notification Bounced")

    message: _Message = None
    action: _Action = None
    template: _Template = None
    channel: _Channel = None
    reason: MaybeReason = Field(default=None, examples=["mailbox_full"])


class MessageOpened(Event):
    """The customer opened a message."""

    type: ClassVar[str] = "message.opened.v1"
    segment: ClassVar[tuple[str, ...]] = ("Email Opened",)

    message: _Message = None
    action: _Action = None
    template: _Template = None
    channel: _Channel = None
    reason: MaybeReason = None


class MessageClicked(Event):
    """The customer followed a link in a message."""

    type: ClassVar[str] = "message.clicked.v1"
    segment: ClassVar[tuple[str, ...]] = ("Email Link Clicked", "Push Notification Tapped")

    message: _Message = None
    action: _Action = None
    template: _Template = None
    channel: _Channel = None
    reason: MaybeReason = None


class MessageUnsubscribed(Event):
    """The customer wants no more messages of this kind."""

    type: ClassVar[str] = "message.unsubscribed.v1"
    segment: ClassVar[tuple[str, ...]] = ("Unsubscribed",)

    message: _Message = None
    action: _Action = None
    template: _Template = None
    channel: _Channel = None
    reason: MaybeReason = Field(default=None, examples=["too_many"])
