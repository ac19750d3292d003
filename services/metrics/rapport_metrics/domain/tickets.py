"""What is known of a ticket, and when it was open (kpis.md 2.6)."""

from typing import NamedTuple

import msgspec
from rapport_events import wire

from rapport_metrics.domain.told import By, Told

RESOLVED, REOPENED = 0, 1
"""At the same instant, resolving comes first."""


class Reply(msgspec.Struct, array_like=True, frozen=True):
    """A public message of a person on our side."""

    told: Told
    agent: str | None


class Word(msgspec.Struct, array_like=True, frozen=True):
    """A message of the customer; `sentiment` from -100 to 100, when somebody measured it."""

    told: Told
    channel: str | None
    sentiment: int | None


class Change(msgspec.Struct, array_like=True, frozen=True):
    at: int
    what: int
    key: bytes
    agent: str | None = None
    team: str | None = None

    @property
    def order(self) -> tuple[int, int, bytes]:
        return (self.at, self.what, self.key)


class Ticket(msgspec.Struct, array_like=True):
    """A ticket as its events tell it, in whatever order. Until it was created it counts nowhere."""

    created: Told | None = None
    subject: str | None = None
    channel: str | None = None
    topic: str | None = None
    about: str | None = None
    priority: str | None = None
    replies: list[Reply] = []
    words: list[Word] = []
    changes: list[Change] = []
    pendings: list[Told] = []


class Course(NamedTuple):
    """How a ticket went. Instants in microseconds."""

    first: Change | None
    """Its first resolution: who resolved it first is who it is counted for."""
    last: Change | None
    """Its last resolution, while it stands; None while it is open."""
    reopened: tuple[Change, ...]
    resolved: tuple[Change, ...]


TicketEvent = (
    wire.TicketCreated
    | wire.TicketMessage
    | wire.TicketPending
    | wire.TicketResolved
    | wire.TicketReopened
)


def evolve(ticket: Ticket, data: TicketEvent, by: By) -> None:
    """Takes one event in; in whatever order they come, the ticket counts for the same."""
    match data:
        case wire.TicketCreated():
            _create(ticket, data, by)
        case wire.TicketMessage():
            _say(ticket, data, by)
        case wire.TicketPending():
            ticket.pendings.append(by.told)
        case wire.TicketResolved():
            ticket.changes.append(Change(by.at, RESOLVED, by.key, data.agent, data.team))
        case wire.TicketReopened():
            ticket.changes.append(Change(by.at, REOPENED, by.key))


def course(ticket: Ticket) -> Course:
    """`resolved` acts on an open ticket only, `reopened` on a resolved one only."""
    first: Change | None = None
    last: Change | None = None
    reopened, resolved = [], []
    for change in sorted(ticket.changes, key=lambda one: one.order):
        if ticket.created is None or change.at < ticket.created.at:
            continue
        if change.what == RESOLVED and last is None:
            first, last = first or change, change
            resolved.append(change)
        elif change.what == REOPENED and last is not None:
            last = None
            reopened.append(change)
    return Course(first, last, tuple(reopened), tuple(resolved))


def first_reply(ticket: Ticket) -> Reply | None:
    """The first human reply at or after it was created."""
    if ticket.created is None:
        return None
    since = ticket.created.at
    return min(
        (reply for reply in ticket.replies if reply.told.at >= since),
        key=lambda one: one.told,
        default=None,
    )


def _create(ticket: Ticket, data: wire.TicketCreated, by: By) -> None:
    if ticket.created is None or by.told < ticket.created:
        ticket.created, ticket.subject, ticket.channel = by.told, by.subject, by.channel
        ticket.topic, ticket.about, ticket.priority = data.topic, data.about, data.priority


def _say(ticket: Ticket, data: wire.TicketMessage, by: By) -> None:
    if data.direction == "in":
        ticket.words.append(Word(by.told, by.channel, data.sentiment))
    elif data.direction == "out" and not data.bot and data.public is not False:
        ticket.replies.append(Reply(by.told, data.agent))
