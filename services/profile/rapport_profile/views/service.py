"""What a customer asked of us, and how they found it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from rapport_profile.domain.state import Call, Profile, Score, Ticket
from rapport_profile.mask import Mask
from rapport_profile.reader import Opened
from rapport_profile.schemas.profile import (
    CallsView,
    CallView,
    MessageView,
    SatisfactionView,
    TicketsView,
    TicketView,
)
from rapport_profile.views.facts import source

OPEN_SHOWN: Final = 50
CALLS_SHOWN: Final = 10
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def tickets(profile: Profile) -> TicketsView:
    unresolved = [item for item in profile.tickets.items() if is_unresolved(item[1])]
    unresolved.sort(key=lambda item: _created(item[1]))
    return TicketsView(
        count=len(profile.tickets), open=[ticket(*item) for item in unresolved[:OPEN_SHOWN]]
    )


def calls(profile: Profile) -> CallsView:
    newest = sorted(profile.calls.items(), key=lambda item: _heard(item[1]), reverse=True)
    return CallsView(
        count=len(profile.calls), recent=[call(*item) for item in newest[:CALLS_SHOWN]]
    )


def satisfaction(
    profile: Profile, opened: Mapping[str, Opened], mask: Mask
) -> list[SatisfactionView]:
    return [answer(*item, opened, mask) for item in sorted(profile.satisfaction.items())]


def answer(name: str, score: Score, opened: Mapping[str, Opened], mask: Mask) -> SatisfactionView:
    kind, _, about = name.partition("/")
    event = opened.get(score.by.event)
    comment = None if event is None else event.personal_value("comment")
    return SatisfactionView(
        kind=kind,
        about=about or None,
        score=score.score,
        comment=mask.text("satisfaction[].comment", comment),
        survey=score.survey,
        revision=score.revision,
        **source(score.by),
    )


def is_unresolved(ticket: Ticket) -> bool:
    return ticket.state != "resolved"


def _created(ticket: Ticket) -> datetime:
    return _NEVER if ticket.created is None else ticket.created.time


def _heard(call: Call) -> datetime:
    return call.offered_at or call.ended_at or _NEVER


def ticket(name: str, ticket: Ticket) -> TicketView:
    last = ticket.last_message
    return TicketView(
        ticket=name,
        topic=ticket.topic,
        about=ticket.about,
        priority=ticket.priority,
        channel=ticket.channel,
        state=ticket.state,
        waiting_for=ticket.waiting_for,
        agent=ticket.agent,
        team=ticket.team,
        created_at=None if ticket.created is None else ticket.created.time,
        messages_in=ticket.messages_in,
        messages_out=ticket.messages_out,
        last_message=None
        if last is None
        else MessageView(time=last.time, direction=ticket.last_direction, event=last.event),
        reopened=ticket.reopened,
        escalated_to=ticket.escalated_to,
    )


def call(name: str, call: Call) -> CallView:
    return CallView(
        call=name,
        offered_at=call.offered_at,
        direction=call.direction,
        topic=call.topic,
        queue=call.queue,
        agent=call.agent,
        team=call.team,
        wait=call.wait,
        outcome=call.outcome,
        handle_time=call.handle_time,
        transferred=call.transferred,
        ticket=call.ticket,
    )
