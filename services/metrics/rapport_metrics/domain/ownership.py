"""Whose each entity is: what a subject keeps of its tickets, calls, surveys and orders."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final

from rapport_metrics.domain.calls import Call
from rapport_metrics.domain.contacts import Contact, of_call, of_ticket
from rapport_metrics.domain.entities import LinkedTicket, Ref, StampedSurvey, State, Subject
from rapport_metrics.domain.evolve import stamp
from rapport_metrics.domain.loops import Loop
from rapport_metrics.domain.orders import Order
from rapport_metrics.domain.working import Working

_LISTS: Final = {
    "ticket": "tickets",
    "call": "calls",
    "survey": "surveys",
    "order": "orders",
    "loop": "loops",
}


_OWNER: Final[Mapping[type, Callable[[Any], str | None]]] = {
    LinkedTicket: attrgetter("ticket.subject"),
    StampedSurvey: attrgetter("survey.subject"),
    Call: attrgetter("subject"),
    Order: attrgetter("subject"),
    Loop: attrgetter("subject"),
}


def owner_name(state: State) -> str | None:
    """The subject an entity belongs to; None while nobody knows."""
    owner = _OWNER.get(type(state))
    return None if owner is None else owner(state)


def settle(working: Working, ref: Ref, owner_before: str | None, changed: set[Ref]) -> None:
    """Brings the owner's lists level with an entity that may have changed.

    What else changed is added to `changed`.
    """
    state = working.states[ref]
    name = owner_name(state)
    if owner_before is not None and owner_before != name:
        _let_go(working, ref, owner_before, changed)
    if name is None:
        if isinstance(state, StampedSurvey):
            # Whoever it was sent to as far as one knew: their segment goes with them.
            stamp(working, ref, Subject(), changed)
        return
    subject = working.subject(name)
    owned = getattr(subject, _LISTS[ref.kind])
    if ref.id not in owned:
        owned.append(ref.id)
        owned.sort()
        changed.add(Ref("subject", name))
    if isinstance(state, StampedSurvey):
        stamp(working, ref, subject, changed)
    elif isinstance(state, LinkedTicket | Call):
        _contact(working, ref, state, changed, name)


def _contact(
    working: Working, ref: Ref, state: LinkedTicket | Call, changed: set[Ref], name: str
) -> None:
    subject, key = working.subject(name), f"{ref.kind}:{ref.id}"
    contact, offered = _seek(working, ref, state)
    if (contact, offered) != (subject.contacts.get(key), subject.offered.get(key)):
        _put(subject, key, contact, offered)
        changed.add(Ref("subject", name))


def _seek(
    working: Working, ref: Ref, state: LinkedTicket | Call
) -> tuple[Contact | None, int | None]:
    """As a contact of a chain, and when contact was sought."""
    if isinstance(state, LinkedTicket):
        contact = of_ticket(ref.id, state.ticket)
        return contact, None if contact is None else contact.at
    about = working.ticket_of(state)
    contact = of_call(ref.id, state, None if about is None else about.ticket)
    sought = None if state.offered is None or not state.is_inbound else state.offered.at
    return contact, sought


def _put(subject: Subject, key: str, contact: Contact | None, offered: int | None) -> None:
    if contact is None:
        subject.contacts.pop(key, None)
    else:
        subject.contacts[key] = contact
    if offered is None:
        subject.offered.pop(key, None)
    else:
        subject.offered[key] = offered


def _let_go(working: Working, ref: Ref, name: str, changed: set[Ref]) -> None:
    subject, key = working.subject(name), f"{ref.kind}:{ref.id}"
    owned = getattr(subject, _LISTS[ref.kind])
    if ref.id in owned:
        owned.remove(ref.id)
    _put(subject, key, None, None)
    changed.add(Ref("subject", name))
