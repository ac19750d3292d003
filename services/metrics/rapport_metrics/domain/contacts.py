"""Contacts: solved at the first one, or not needed at all (kpis.md 2.12)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from rapport_metrics.domain.calls import Call
from rapport_metrics.domain.facts import NOWHERE, Dims, Fact
from rapport_metrics.domain.instants import DAY
from rapport_metrics.domain.tickets import Course, Ticket, course
from rapport_metrics.domain.told import Told

REPEAT_WINDOW: Final = 7 * DAY
SELF_SERVICE_WINDOW: Final = 24 * 3_600_000_000


class Contact(NamedTuple):
    """One contact of a chain: a ticket that did not come by phone, or an answered call."""

    at: int
    id: str
    cause: bytes
    dims: Dims
    ticket: Course | None
    """How its ticket went; None when there is none."""
    transferred: bool


def of_ticket(name: str, ticket: Ticket) -> Contact | None:
    """None when the ticket is no contact: it came by phone, or is not known yet."""
    if ticket.created is None or ticket.channel == "phone":
        return None
    went = course(ticket)
    first = went.first
    dims = Dims(
        channel=ticket.channel,
        topic=ticket.topic,
        agent=None if first is None else first.agent,
        team=None if first is None else first.team,
    )
    return Contact(ticket.created.at, name, ticket.created.key, dims, went, transferred=False)


def of_call(name: str, call: Call, ticket: Ticket | None) -> Contact | None:
    """None when the call is no contact: not answered, or ours. `ticket`: see `ticket_of`."""
    if call.offered is None or call.answered is None or not call.is_inbound:
        return None
    legs = call.legs_in_order()
    dims = Dims(
        channel=call.channel,
        topic=call.topic,
        agent=legs[0].agent if legs else None,
        team=legs[0].team if legs else None,
    )
    went = None if ticket is None or ticket.created is None else course(ticket)
    transferred = any(leg.transferred for leg in legs)
    return Contact(call.offered.at, name, call.offered.key, dims, went, transferred)


def ticket_of(call: Call) -> str | None:
    """The ticket of a call: that of its lowest leg that names one."""
    return next((leg.ticket for leg in call.legs_in_order() if leg.ticket is not None), None)


def chain_facts(contacts: Iterable[Contact], window: int = REPEAT_WINDOW) -> Iterator[Fact]:
    """First contact resolution of one person's contacts about one topic.

    A contact is a first one when none came in the window before it. It was enough when none comes
    in the window after it, its ticket is resolved in it and not reopened, and nobody passed it on.
    """
    chain = sorted(contacts, key=lambda one: (one.at, one.id))
    for place, contact in enumerate(chain):
        if place > 0 and contact.at - chain[place - 1].at <= window:
            continue
        again = place + 1 < len(chain) and chain[place + 1].at - contact.at <= window
        enough = not again and not contact.transferred and _was_solved(contact, window)
        yield Fact("fcr", contact.at, contact.dims, int(enough), 1, contact.cause)


def _was_solved(contact: Contact, window: int) -> bool:
    went = contact.ticket
    if went is None:
        return True
    until = contact.at + window
    if went.first is None or went.first.at > until:
        return False
    return not any(contact.at < change.at <= until for change in went.reopened)


def self_service_facts(sessions: Iterable[Told], offered: Sequence[int]) -> Iterator[Fact]:
    """Help sessions of one person, by their first view: was no contact needed within a day?

    `offered`: instants of the person's contacts, also of calls that nobody answered.
    """
    for session in sessions:
        until = session.at + SELF_SERVICE_WINDOW
        needed = any(session.at <= at <= until for at in offered)
        yield Fact("self_service", session.at, NOWHERE, int(not needed), 1, session.key)
