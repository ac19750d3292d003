"""What customers ask for, and what becomes of it."""

from rapport_events import wire

from rapport_profile.domain.state import Profile, Source, Ticket

TicketEvent = (
    wire.TicketCreated
    | wire.TicketAssigned
    | wire.TicketMessage
    | wire.TicketPriorityChanged
    | wire.TicketTopicChanged
    | wire.TicketPending
    | wire.TicketResolved
    | wire.TicketReopened
    | wire.TicketEscalated
)


def evolve(profile: Profile, data: wire.Data, by: Source, channel: str | None) -> None:
    """Writes what a ticket event says into the profile."""
    if isinstance(data, TicketEvent) and data.ticket is not None:
        ticket = profile.tickets.setdefault(data.ticket, Ticket())
        if not _evolve_message(ticket, data, by, channel):
            _evolve_state(ticket, data, by)


def _evolve_message(ticket: Ticket, data: TicketEvent, by: Source, channel: str | None) -> bool:
    match data:
        case wire.TicketMessage():
            if data.direction == "out":
                ticket.messages_out += 1
            else:
                ticket.messages_in += 1
                # The customer has spoken: nobody waits for them any more.
                ticket.state = "open" if ticket.state == "pending" else ticket.state
            ticket.last_message, ticket.last_direction = by, data.direction
        case wire.TicketCreated():
            ticket.created = ticket.created or by
            ticket.topic, ticket.about = data.topic, data.about
            ticket.priority, ticket.channel = data.priority, channel
        case _:
            return False
    return True


def _evolve_state(ticket: Ticket, data: TicketEvent, by: Source) -> None:
    match data:
        case wire.TicketAssigned():
            ticket.agent, ticket.team = data.agent, data.team
        case wire.TicketResolved():
            ticket.state, ticket.resolved_at = "resolved", by.time
            ticket.agent, ticket.team = data.agent or ticket.agent, data.team or ticket.team
        case wire.TicketReopened():
            ticket.reopened += ticket.state == "resolved"
            ticket.state, ticket.resolved_at = "open", None
        case wire.TicketPending():
            ticket.state, ticket.waiting_for = "pending", data.waiting_for
        case wire.TicketEscalated():
            ticket.escalated_to = data.to_team
        case wire.TicketPriorityChanged():
            ticket.priority = data.after
        case wire.TicketTopicChanged():
            ticket.topic = data.after
