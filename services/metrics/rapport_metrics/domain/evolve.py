"""One event, taken into the entity that it is about. The order of events does not matter."""

from collections.abc import Callable
from typing import Final, get_args

from rapport_events import wire

from rapport_metrics.domain import calls, contracts, loops, orders, surveys, tickets
from rapport_metrics.domain.calls import Call
from rapport_metrics.domain.contracts import Subscription
from rapport_metrics.domain.entities import LinkedTicket, Ref, StampedSurvey, Subject
from rapport_metrics.domain.happening import Happening
from rapport_metrics.domain.loops import Loop
from rapport_metrics.domain.orders import Order
from rapport_metrics.domain.working import Working


def take(working: Working, happening: Happening, ref: Ref | None, changed: set[Ref]) -> None:
    """Writes one event into the working set. `ref`: what it is about, see `happening.entity`.

    The entities that it changed are added to `changed`.
    """
    if ref is not None:
        changed.add(ref)
    _TAKING[type(happening.data)](working, happening, ref, changed)


def _take_ticket(working: Working, happening: Happening, ref: Ref | None, _: set[Ref]) -> None:
    state = None if ref is None else working.states[ref]
    if isinstance(state, LinkedTicket) and isinstance(happening.data, tickets.TicketEvent):
        tickets.evolve(state.ticket, happening.data, happening.by)


def _take_call(working: Working, happening: Happening, ref: Ref | None, changed: set[Ref]) -> None:
    state = None if ref is None else working.states[ref]
    by, data = happening.by, happening.data
    if ref is None or not isinstance(state, Call) or not isinstance(data, calls.CallEvent):
        return
    calls.evolve(state, data, by)
    if isinstance(data, wire.CallLegEnded) and data.ticket is not None:
        _name_ticket(working, data.ticket, ref.id, changed)


def _take_survey(working: Working, happening: Happening, ref: Ref | None, _: set[Ref]) -> None:
    state = None if ref is None else working.states[ref]
    by, data = happening.by, happening.data
    if not isinstance(state, StampedSurvey):
        return
    if isinstance(data, wire.SurveySent):
        surveys.send(state.survey, data, by)
    elif isinstance(data, wire.SurveyResponded):
        surveys.respond(state.survey, data, by)


def _take_order(working: Working, happening: Happening, ref: Ref | None, _: set[Ref]) -> None:
    state = None if ref is None else working.states[ref]
    by, data = happening.by, happening.data
    if not isinstance(state, Order):
        return
    if isinstance(data, wire.OrderPlaced):
        orders.place(state, data, by)
    elif isinstance(data, wire.OrderRefunded):
        orders.refund(state, data, by)


def _take_loop(working: Working, happening: Happening, ref: Ref | None, _: set[Ref]) -> None:
    state = None if ref is None else working.states[ref]
    if isinstance(state, Loop) and isinstance(happening.data, loops.LoopEvent):
        loops.evolve(state, happening.data, happening.by)


def _take_subscription(
    working: Working, happening: Happening, ref: Ref | None, _: set[Ref]
) -> None:
    state = None if ref is None else working.states[ref]
    by, data = happening.by, happening.data
    if isinstance(state, Subscription) and isinstance(data, contracts.SubscriptionEvent):
        contracts.evolve(state, data, by)


def _name_ticket(working: Working, ticket: str, call: str, changed: set[Ref]) -> None:
    ref = Ref("ticket", ticket)
    state = working.states[ref]
    if isinstance(state, LinkedTicket) and call not in state.calls:
        state.calls.append(call)
        state.calls.sort()
        changed.add(ref)


def _create(working: Working, happening: Happening, _: Ref | None, changed: set[Ref]) -> None:
    by, data = happening.by, happening.data
    if by.subject is None or not isinstance(data, wire.CustomerCreated):
        return
    subject = working.subject(by.subject)
    if subject.created is not None and subject.created <= by.told:
        return
    subject.created, subject.segment = by.told, data.segment
    changed.add(Ref("subject", by.subject))
    for survey in subject.surveys:
        stamp(working, Ref("survey", survey), subject, changed)


def stamp(working: Working, ref: Ref, subject: Subject, changed: set[Ref]) -> None:
    """The segment of its customer, onto a survey."""
    state = working.states[ref]
    if isinstance(state, StampedSurvey) and state.segment != subject.segment:
        state.segment = subject.segment
        changed.add(ref)


def _visit(working: Working, happening: Happening, _: Ref | None, changed: set[Ref]) -> None:
    by, data = happening.by, happening.data
    if by.subject is None or not isinstance(data, wire.HelpViewed):
        return
    subject = working.subject(by.subject)
    session = data.session or by.key.hex()
    if session not in subject.sessions or by.told < subject.sessions[session]:
        subject.sessions[session] = by.told
        changed.add(Ref("subject", by.subject))


def _merge(working: Working, happening: Happening, _: Ref | None, changed: set[Ref]) -> None:
    by, data = happening.by, happening.data
    if by.subject is None or not isinstance(data, wire.CustomerMerged):
        return
    name, survivor, absorbed = by.key.hex(), by.subject, data.from_subject
    merge = working.merge(name)
    if absorbed is None or survivor == absorbed or merge.a is not None:
        return
    merge.a, merge.b = survivor, absorbed
    changed.add(Ref("merge", name))
    for side in (survivor, absorbed):
        subject = working.subject(side)
        if name not in subject.merges:
            subject.merges.append(name)
            subject.merges.sort()
            changed.add(Ref("subject", side))


def _unmerge(working: Working, happening: Happening, _: Ref | None, changed: set[Ref]) -> None:
    if isinstance(happening.data, wire.CustomerUnmerged):
        working.merge(happening.data.merge_event_id).cut = True
        changed.add(Ref("merge", happening.data.merge_event_id))


def _erase(working: Working, happening: Happening, _: Ref | None, changed: set[Ref]) -> None:
    by = happening.by
    if by.subject is not None:
        subject = working.subject(by.subject)
        subject.erased = by.at if subject.erased is None else min(subject.erased, by.at)
        changed.add(Ref("subject", by.subject))


Taking = Callable[[Working, Happening, Ref | None, set[Ref]], None]

_TAKING: Final[dict[type, Taking]] = {
    **dict.fromkeys(get_args(tickets.TicketEvent), _take_ticket),
    **dict.fromkeys(get_args(calls.CallEvent), _take_call),
    **dict.fromkeys(get_args(surveys.SurveyEvent), _take_survey),
    **dict.fromkeys(get_args(orders.OrderEvent), _take_order),
    **dict.fromkeys(get_args(loops.LoopEvent), _take_loop),
    **dict.fromkeys(get_args(contracts.SubscriptionEvent), _take_subscription),
    wire.CustomerCreated: _create,
    wire.CustomerMerged: _merge,
    wire.CustomerUnmerged: _unmerge,
    wire.CustomerErased: _erase,
    wire.HelpViewed: _visit,
}
"""By type, and not one question after the other: it is asked of every event."""
