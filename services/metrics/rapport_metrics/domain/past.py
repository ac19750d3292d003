"""An entity as its events before an instant tell it: for numbers as of then (kpis.md 1.2)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from rapport_metrics.domain.calls import Call
from rapport_metrics.domain.contacts import Contact
from rapport_metrics.domain.contracts import Subscription
from rapport_metrics.domain.entities import LinkedTicket, StampedSurvey, State, Subject
from rapport_metrics.domain.facts import Fact
from rapport_metrics.domain.loops import Loop
from rapport_metrics.domain.orders import Order
from rapport_metrics.domain.tickets import Ticket
from rapport_metrics.domain.told import Told


def cut(state: State, before: int) -> State:
    """The state without what happened at `before` or later. What is left is a copy."""
    match state:
        case LinkedTicket():
            return LinkedTicket(_cut_ticket(state.ticket, before), list(state.calls))
        case Call():
            return _cut_call(state, before)
        case StampedSurvey():
            return _cut_survey(state, before)
        case Order():
            return _cut_order(state, before)
        case Loop():
            return _cut_loop(state, before)
        case Subject():
            return _cut_subject(state, before)
        case _:
            return state


def span(state: State, facts: Iterable[Fact]) -> tuple[int, int] | None:
    """The instants between which an entity has anything to say: events and facts; None: nothing.

    What is known only from later events counts nowhere until its first one is told (kpis.md 1.6),
    and has nothing to say either.
    """
    told = _TOLD.get(type(state))
    instants = [] if told is None else told(state)
    if not instants:
        return None
    instants += [fact.at for fact in facts]
    return min(instants), max(instants)


def _cut_ticket(ticket: Ticket, before: int) -> Ticket:
    return msgspec.structs.replace(
        ticket,
        created=_kept(ticket.created, before),
        replies=[one for one in ticket.replies if one.told.at < before],
        words=[one for one in ticket.words if one.told.at < before],
        changes=[one for one in ticket.changes if one.at < before],
        pendings=[one for one in ticket.pendings if one.at < before],
    )


def _cut_call(call: Call, before: int) -> Call:
    return msgspec.structs.replace(
        call,
        offered=_kept(call.offered, before),
        answered=_kept(call.answered, before),
        abandoned=_kept(call.abandoned, before),
        legs={name: leg for name, leg in call.legs.items() if leg.told.at < before},
    )


def _cut_survey(stamped: StampedSurvey, before: int) -> StampedSurvey:
    survey = stamped.survey
    kept = msgspec.structs.replace(
        survey,
        sent=_kept(survey.sent, before),
        answers=[answer for answer in survey.answers if answer.told.at < before],
    )
    return StampedSurvey(kept, stamped.segment)


def _cut_order(order: Order, before: int) -> Order:
    return msgspec.structs.replace(
        order,
        placed=_kept(order.placed, before),
        refunds={name: one for name, one in order.refunds.items() if one.told.at < before},
    )


def _cut_loop(loop: Loop, before: int) -> Loop:
    closed = loop.closed
    return msgspec.structs.replace(
        loop,
        opened=_kept(loop.opened, before),
        closed=closed if closed is not None and closed.told.at < before else None,
    )


def _cut_subject(subject: Subject, before: int) -> Subject:
    return msgspec.structs.replace(
        subject,
        contacts={
            name: _cut_contact(contact, before)
            for name, contact in subject.contacts.items()
            if contact.at < before
        },
        offered={name: at for name, at in subject.offered.items() if at < before},
        sessions={name: told for name, told in subject.sessions.items() if told.at < before},
    )


def _cut_contact(contact: Contact, before: int) -> Contact:
    went = contact.ticket
    if went is None:
        return contact
    return contact._replace(
        ticket=went._replace(
            first=None if went.first is None or went.first.at >= before else went.first,
            reopened=tuple(one for one in went.reopened if one.at < before),
            resolved=tuple(one for one in went.resolved if one.at < before),
        )
    )


def _kept(told: Told | None, before: int) -> Told | None:
    return told if told is not None and told.at < before else None


def _of_ticket(state: LinkedTicket) -> list[int]:
    ticket = state.ticket
    if ticket.created is None:
        return []
    return [
        ticket.created.at,
        *[change.at for change in ticket.changes],
        *[reply.told.at for reply in ticket.replies],
        *[word.told.at for word in ticket.words],
        *[told.at for told in ticket.pendings],
    ]


def _of_call(state: Call) -> list[int]:
    if state.offered is None:
        return []
    ends = [told.at for told in (state.answered, state.abandoned) if told is not None]
    return [state.offered.at, *ends, *[leg.told.at for leg in state.legs.values()]]


def _of_survey(state: StampedSurvey) -> list[int]:
    survey = state.survey
    if survey.sent is None:
        return []
    return [survey.sent.at, *[answer.told.at for answer in survey.answers]]


def _of_order(state: Order) -> list[int]:
    if state.placed is None:
        return []
    return [state.placed.at, *[one.told.at for one in state.refunds.values()]]


def _of_loop(state: Loop) -> list[int]:
    if state.opened is None:
        return []
    return [state.opened.at, *([] if state.closed is None else [state.closed.told.at])]


def _of_subscription(state: Subscription) -> list[int]:
    return [term.told.at for term in state.terms]


def _of_subject(state: Subject) -> list[int]:
    return [*state.offered.values(), *[told.at for told in state.sessions.values()]]


_TOLD: Final[Mapping[type, Callable[[Any], list[int]]]] = {
    LinkedTicket: _of_ticket,
    Call: _of_call,
    StampedSurvey: _of_survey,
    Order: _of_order,
    Loop: _of_loop,
    Subscription: _of_subscription,
    Subject: _of_subject,
}
"""When each event of a state happened; nothing of what is held."""
