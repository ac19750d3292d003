"""One event, taken into the entity that it is about. The order of events does not matter."""

from typing import Final

from rapport_events import wire

from rapport_metrics.domain import calls, contracts, orders, surveys, tickets
from rapport_metrics.domain.calls import Call
from rapport_metrics.domain.contracts import Subscription
from rapport_metrics.domain.entities import LinkedTicket, Ref, StampedSurvey, Subject
from rapport_metrics.domain.happening import Happening, entity
from rapport_metrics.domain.orders import Order
from rapport_metrics.domain.told import By
from rapport_metrics.domain.working import Working

_TICKET: Final = tickets.TicketEvent
_CALL: Final = calls.CallEvent
_SUBSCRIPTION: Final = contracts.SubscriptionEvent


def take(working: Working, happening: Happening) -> set[Ref]:
    """Writes one event into the working set; the entities that it changed."""
    by, data = happening
    ref = entity(happening)
    changed = set() if ref is None else _take_entity(working, ref, happening)
    match data:
        case wire.CustomerCreated() if by.subject is not None:
            changed |= _create(working, data, by, by.subject)
        case wire.HelpViewed() if by.subject is not None:
            changed |= _visit(working, data, by, by.subject)
        case wire.CustomerMerged() if by.subject is not None and data.from_subject is not None:
            changed |= _merge(working, by.key.hex(), by.subject, data.from_subject)
        case wire.CustomerUnmerged():
            working.merge(data.merge_event_id).cut = True
            changed.add(Ref("merge", data.merge_event_id))
        case wire.CustomerErased() if by.subject is not None:
            subject = working.subject(by.subject)
            subject.erased = by.at if subject.erased is None else min(subject.erased, by.at)
            changed.add(Ref("subject", by.subject))
        case _:
            pass
    return changed


def _take_entity(working: Working, ref: Ref, happening: Happening) -> set[Ref]:
    by, data = happening
    state, changed = working.states[ref], {ref}
    match state, data:
        case LinkedTicket(), _ if isinstance(data, _TICKET):
            tickets.evolve(state.ticket, data, by)
        case Call(), _ if isinstance(data, _CALL):
            calls.evolve(state, data, by)
            if isinstance(data, wire.CallLegEnded) and data.ticket is not None:
                changed |= _name_ticket(working, data.ticket, ref.id)
        case StampedSurvey(), wire.SurveySent():
            surveys.send(state.survey, data, by)
        case StampedSurvey(), wire.SurveyResponded():
            surveys.respond(state.survey, data, by)
        case Order(), wire.OrderPlaced() | wire.OrderRefunded():
            _take_order(state, data, by)
        case Subscription(), _ if isinstance(data, _SUBSCRIPTION):
            contracts.evolve(state, data, by)
        case _:
            return set()
    return changed


def _take_order(order: Order, data: wire.OrderPlaced | wire.OrderRefunded, by: By) -> None:
    if isinstance(data, wire.OrderPlaced):
        orders.place(order, data, by)
    else:
        orders.refund(order, data, by)


def _name_ticket(working: Working, ticket: str, call: str) -> set[Ref]:
    ref = Ref("ticket", ticket)
    state = working.states[ref]
    if not isinstance(state, LinkedTicket) or call in state.calls:
        return set()
    state.calls.append(call)
    state.calls.sort()
    return {ref}


def _create(working: Working, data: wire.CustomerCreated, by: By, name: str) -> set[Ref]:
    subject = working.subject(name)
    if subject.created is not None and subject.created <= by.told:
        return set()
    subject.created, subject.segment = by.told, data.segment
    changed = {Ref("subject", name)}
    for survey in subject.surveys:
        changed |= stamp(working, Ref("survey", survey), subject)
    return changed


def stamp(working: Working, ref: Ref, subject: Subject) -> set[Ref]:
    """The segment of its customer, onto a survey."""
    state = working.states[ref]
    if not isinstance(state, StampedSurvey) or state.segment == subject.segment:
        return set()
    state.segment = subject.segment
    return {ref}


def _visit(working: Working, data: wire.HelpViewed, by: By, name: str) -> set[Ref]:
    subject = working.subject(name)
    session = data.session or by.key.hex()
    if session in subject.sessions and subject.sessions[session] <= by.told:
        return set()
    subject.sessions[session] = by.told
    return {Ref("subject", name)}


def _merge(working: Working, name: str, survivor: str, absorbed: str) -> set[Ref]:
    merge = working.merge(name)
    if survivor == absorbed or merge.a is not None:
        return set()
    merge.a, merge.b = survivor, absorbed
    changed = {Ref("merge", name)}
    for side in (survivor, absorbed):
        subject = working.subject(side)
        if name not in subject.merges:
            subject.merges.append(name)
            subject.merges.sort()
            changed.add(Ref("subject", side))
    return changed
