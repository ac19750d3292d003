"""The facts of each entity, and of each person: the two functions that the engine compares."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from rapport_metrics.domain import calls, loops, orders, service, surveys
from rapport_metrics.domain.beside import Beside
from rapport_metrics.domain.calls import Call, CallSettings
from rapport_metrics.domain.contacts import (
    REPEAT_WINDOW,
    Contact,
    chain_facts,
    of_call,
    of_ticket,
    self_service_facts,
)
from rapport_metrics.domain.entities import LinkedTicket, Ref, StampedSurvey, State, Subject
from rapport_metrics.domain.facts import Fact
from rapport_metrics.domain.loops import Loop
from rapport_metrics.domain.orders import Order
from rapport_metrics.domain.service import ServiceSettings
from rapport_metrics.domain.surveys import SurveySettings
from rapport_metrics.domain.tickets import Ticket
from rapport_metrics.domain.told import Told


class Options(msgspec.Struct, frozen=True):
    """Thresholds and windows. Seconds, where a name does not say otherwise."""

    calls: CallSettings = calls.DEFAULTS
    service: ServiceSettings = service.DEFAULTS
    repeat_window: int = REPEAT_WINDOW
    """Of first contact resolution, in microseconds."""
    surveys: SurveySettings = surveys.DEFAULTS
    unsolvable_topics: frozenset[str] = frozenset()
    """What nobody could solve at the first contact; `fcr_net` leaves it out."""
    purge_erased: bool = False
    """Take back what erased people contributed; else only what is about the person goes."""
    beside: "tuple[Beside, ...]" = ()
    """Other versions of definitions, that totals are kept by as well."""


DEFAULTS = Options()


def entity_facts(
    ref: Ref, state: State, ticket: LinkedTicket | None, options: Options
) -> Iterable[Fact]:
    """What an entity counts for by itself. `ticket`: of a call, the one that it is about."""
    match state:
        case Order():
            return orders.facts(state)
        case StampedSurvey():
            return surveys.facts(state.survey, state.segment, options.surveys)
        case LinkedTicket():
            return _of_ticket(ref.id, state.ticket, options)
        case Call():
            return _of_call(ref.id, state, ticket, options)
        case Loop():
            return loops.facts(state)
        case _:
            return ()


def _of_ticket(name: str, ticket: Ticket, options: Options) -> Iterator[Fact]:
    yield from service.facts(ticket, options.service)
    if ticket.subject is None:
        yield from _alone(of_ticket(name, ticket), options)


def _of_call(
    name: str, call: Call, ticket: LinkedTicket | None, options: Options
) -> Iterator[Fact]:
    yield from calls.facts(call, options.calls)
    if call.subject is None:
        yield from _alone(of_call(name, call, None if ticket is None else ticket.ticket), options)


def person_facts(members: Iterable[Subject], options: Options) -> Iterator[Fact]:
    """What a person counts for: first contact resolution by topic, and self-service."""
    chains: dict[str | None, list[Contact]] = defaultdict(list)
    offered: list[int] = []
    sessions: dict[str, Told] = {}
    for member in members:
        offered += member.offered.values()
        for contact in member.contacts.values():
            chains[contact.dims.topic].append(contact)
        for name, told in member.sessions.items():
            sessions[name] = min(told, sessions.get(name, told))
    for chain in chains.values():
        yield from _solved(chain, options)
    yield from self_service_facts(sessions.values(), offered)


def _alone(contact: Contact | None, options: Options) -> Iterator[Fact]:
    """Nobody knows whose it is: a chain of its own."""
    if contact is not None:
        yield from _solved([contact], options)


def _solved(chain: Iterable[Contact], options: Options) -> Iterator[Fact]:
    for one in chain_facts(chain, options.repeat_window):
        yield one
        if options.unsolvable_topics and one.dims.topic not in options.unsolvable_topics:
            yield replace(one, metric="fcr_net")
