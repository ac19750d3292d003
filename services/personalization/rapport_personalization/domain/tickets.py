"""Cases of a person and when they asked for help, as of one instant."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from rapport_events import wire

from rapport_personalization.domain.moment import Mark, Moment

TicketEvent = (
    wire.TicketCreated
    | wire.TicketMessage
    | wire.TicketResolved
    | wire.TicketReopened
    | wire.TicketPriorityChanged
)

UNANSWERABLE: Final = frozenset({"phone", "store"})
"""Channels on which nobody waits for a first reply: it is given at once."""

_DEFAULT_PRIORITY: Final = "normal"


class Ticket(Struct, array_like=True):
    """One case. Messages may be known before it was created; it is open only from then on."""

    created: Mark | None = None
    topic: str | None = None
    about: str | None = None
    priority: str | None = None
    asked_priority: str | None = None
    """When it was created: the first reply is due by this one."""
    channel: str | None = None
    first_reply: Mark | None = None
    """Of a human being."""
    waiting: Mark | None = None
    """Since when a question of the customer is unanswered."""
    first_resolved: Mark | None = None
    changed: Mark | None = None
    """When it was opened or closed last."""
    is_resolved: bool = False
    reopens: int = 0

    @property
    def is_open(self) -> bool:
        return self.created is not None and not self.is_resolved

    def reply_due(self, targets: Mapping[str, timedelta]) -> datetime | None:
        """Until when a human being is to answer; None where nobody waits."""
        if self.created is None or self.channel in UNANSWERABLE:
            return None
        target = targets.get(
            self.asked_priority or _DEFAULT_PRIORITY, targets.get(_DEFAULT_PRIORITY)
        )
        return None if target is None else self.created.at + target


def take(tickets: dict[str, Ticket], data: TicketEvent, moment: Moment) -> None:
    """Writes one event of a ticket into it."""
    ticket = tickets.get(data.ticket)
    if ticket is None:
        ticket = tickets[data.ticket] = Ticket()
    mark = moment.mark
    match data:
        case wire.TicketCreated():
            _create(ticket, data, moment)
        case wire.TicketMessage():
            _speak(ticket, data, mark)
        case wire.TicketPriorityChanged():
            ticket.priority = data.after or ticket.priority
        case _:
            _turn(ticket, data, mark)


def _create(ticket: Ticket, data: wire.TicketCreated, moment: Moment) -> None:
    if ticket.created is None:
        ticket.created = ticket.changed = ticket.waiting = moment.mark
        ticket.topic, ticket.about, ticket.priority = data.topic, data.about, data.priority
        ticket.asked_priority, ticket.channel = data.priority, moment.channel


def _speak(ticket: Ticket, data: wire.TicketMessage, mark: Mark) -> None:
    """A bot's acknowledgement answers nothing; nor does what was said before there was a case."""
    if ticket.created is None or data.public is False:
        return
    if data.direction == "in":
        ticket.waiting = ticket.waiting or mark
    elif data.direction == "out" and not data.bot:
        ticket.first_reply = ticket.first_reply or mark
        ticket.waiting = None


def _turn(ticket: Ticket, data: wire.TicketResolved | wire.TicketReopened, mark: Mark) -> None:
    """`resolved` only acts on an open ticket and `reopened` on a resolved one."""
    closes = isinstance(data, wire.TicketResolved)
    if ticket.created is None or closes == ticket.is_resolved:
        return
    ticket.is_resolved, ticket.changed = closes, mark
    if closes:
        ticket.first_resolved = ticket.first_resolved or mark
        ticket.waiting = None
    else:
        ticket.reopens += 1
