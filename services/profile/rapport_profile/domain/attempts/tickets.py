"""A ticket as contacts are told: one attempt until it moves to another channel or is reopened."""

from rapport_events import wire

from rapport_profile.domain.attempts.contact import Attempt, Contact, Outcome
from rapport_profile.domain.attempts.hearing import Contacts, Heard, attempt, is_about
from rapport_profile.domain.tickets import TicketEvent


def hear(contacts: Contacts, heard: Heard, data: wire.Data) -> Contact | None:
    if not isinstance(data, TicketEvent):
        return None
    ticket = contacts.at("ticket", data.ticket, heard)
    ticket.state = ticket.state or "open"
    match data:
        case wire.TicketCreated():
            _create(ticket, heard, data)
        case wire.TicketMessage():
            _say(ticket, heard, data)
        case wire.TicketTopicChanged():
            is_about(ticket, data.after)
        case _:
            _move(ticket, heard, data)
    return ticket


def _create(ticket: Contact, heard: Heard, data: wire.TicketCreated) -> None:
    # A topic that was changed before the ticket was told of is the newer one all the same.
    later = ticket.topic
    is_about(ticket, data.topic)
    ticket.topic = later or ticket.topic
    ticket.about = data.about
    now = ticket.attempts[-1]
    now.channel = now.channel or heard.envelope.channel
    now.words = now.words or heard.key
    ticket.is_unanswered = now.messages_out == 0 and not now.is_ours


def _say(ticket: Contact, heard: Heard, data: wire.TicketMessage) -> None:
    now = ticket.attempts[-1]
    if data.direction == "out":
        if data.public is not False and not data.bot:
            now.messages_out += 1
            now.meet(data.agent, None)
            ticket.is_unanswered = ticket.escalated = False
        return
    channel = heard.envelope.channel
    if channel is not None and now.channel is not None and channel != now.channel:
        now.outcome = "continued"
        now = _begin(ticket, heard)
    now.channel = now.channel or channel
    now.messages_in += 1
    now.words = now.words or heard.key
    ticket.is_unanswered = True
    if ticket.state == "pending":
        ticket.state, ticket.waiting_for = "open", None


def _move(ticket: Contact, heard: Heard, data: TicketEvent) -> None:
    match data:
        case wire.TicketResolved():
            ticket.attempts[-1].meet(data.agent, data.team)
            ticket.state, ticket.waiting_for = "resolved", None
        case wire.TicketReopened():
            if ticket.state == "resolved":
                ticket.attempts[-1].outcome = "reopened"
                _begin(ticket, heard)
                ticket.is_unanswered = True
            ticket.state = "open"
        case wire.TicketPending():
            ticket.state, ticket.waiting_for = "pending", data.waiting_for
        case wire.TicketEscalated():
            ticket.escalated = True


def _begin(ticket: Contact, heard: Heard) -> Attempt:
    """The next attempt, on the channel that is known until somebody says another."""
    following = attempt(heard)
    following.channel = heard.envelope.channel or ticket.attempts[-1].channel
    ticket.attempts.append(following)
    return following


def conclude(ticket: Contact) -> None:
    """Once all its events are in: what became of the last attempt."""
    ticket.attempts[-1].outcome = _outcome(ticket)


def _outcome(ticket: Contact) -> Outcome:
    if ticket.state == "resolved":
        return "resolved"
    if ticket.state == "pending":
        return "waiting"
    if ticket.escalated:
        return "handed_over"
    return "no_answer" if ticket.is_unanswered else "answered"
