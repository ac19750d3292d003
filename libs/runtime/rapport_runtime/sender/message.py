"""What is to be delivered, and what can become of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from rapport_events import wire
from rapport_events.envelope import Envelope
from rapport_events.message import MessageBounced, MessageSent


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """One `action.requested` whose turn it is."""

    action: str
    event_key: bytes
    envelope: Envelope
    data: wire.ActionRequested
    attempt: int
    """1 is the first."""
    asked_at: datetime
    is_expired: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """Where somebody can be reached; `suppressed` says why they must not be, if so."""

    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    suppressed: str | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message in words."""

    text: str = field(repr=False)
    subject: str | None = field(default=None, repr=False)
    html: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a transport is given; `id` is the same at every attempt."""

    id: UUID
    request: Requested
    channel: str
    to: str | None = field(repr=False)
    """An address or a number; None on channels that go by the subject."""
    variables: Mapping[str, Any] = field(repr=False)
    rendered: Rendered | None
    """None: there is no template of that name."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The delivery is over, for good or until an operator asks for another try."""

    state: str
    reason: str | None = None
    """A few words of ours: never an address, nor what somebody else answered."""
    fact: str | None = None
    """The type of the event that tells it."""


@dataclass(frozen=True, slots=True)
class Later:
    """To be tried again, after so many seconds if the other side named them."""

    reason: str
    after: float | None = None


Outcome = Ending | Later

SENT: Final = Ending("sent", None, MessageSent.type)
EXPIRED: Final = Ending("expired", "expired")


def bounced(reason: str) -> Ending:
    """The other side will not have it."""
    return Ending("dead", reason, MessageBounced.type)


def dead(reason: str) -> Ending:
    """Something on our side has to be mended first."""
    return Ending("dead", reason)


def suppressed(reason: str) -> Ending:
    """It must not, or cannot, be sent to this person."""
    return Ending("suppressed", reason)


class Transport(Protocol):
    """Hands messages over to whoever brings them to people."""

    name: str
    needs_words: bool
    """Whether a message must have been rendered."""

    async def send(self, message: Message) -> Outcome:
        """One attempt. Raises OSError when it does not get through."""


class RecipientsUnavailableError(Exception):
    """Nobody can say now where people are reached; nothing is sent meanwhile."""


class Recipients(Protocol):
    """What a service knows of the people to be reached; asked before each attempt, in batches.

    Both raise RecipientsUnavailableError.
    """

    async def addresses(self, subjects: Collection[str]) -> Mapping[str, Contact]:
        """Where each can be reached; who is left out cannot be."""

    async def variables(
        self, requests: Sequence[Requested]
    ) -> Sequence[Mapping[str, Any] | Ending]:
        """What each message is to say; or how it ends, when that cannot be read any more."""


class Templates(Protocol):
    """Puts messages into words."""

    def render(
        self, name: str, language: str | None, variables: Mapping[str, Any]
    ) -> Rendered | None:
        """None: there is no such template. Raises TemplateError."""


class TemplateError(Exception):
    """A template that cannot be read or does not come to an end; says where, without values."""
