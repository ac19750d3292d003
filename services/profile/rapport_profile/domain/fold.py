"""The fold: a person's events, in the order in which they happened, into their profile."""

from collections.abc import Iterable

from rapport_events import wire
from rapport_events.envelope import Envelope, Record

from rapport_profile.domain import calls, orders, person, tickets, work
from rapport_profile.domain.state import Profile, Source, Touch

Fact = tuple[Record, wire.Data]
"""A record with its decoded data."""


def is_late(profile: Profile, record: Record) -> bool:
    """Whether something that happened after this event has been folded already."""
    return profile.newest is not None and record.order < profile.newest


def fold(profile: Profile, facts: Iterable[Fact]) -> Profile:
    """The profile after the facts, which are in fold order and none of them late."""
    for record, data in facts:
        _evolve(profile, record, data)
    return profile


def _evolve(profile: Profile, record: Record, data: wire.Data) -> None:
    envelope = record.envelope
    by = Source(record.key.hex(), envelope.source, envelope.time)
    profile.newest = record.order
    profile.first_seen = profile.first_seen or envelope.time
    profile.last_seen = envelope.time
    profile.events[envelope.type] = profile.events.get(envelope.type, 0) + 1
    if envelope.channel is not None:
        profile.touches[envelope.channel] = Touch(envelope.type, by)
    _evolve_noun(profile, data, by, envelope)


def _evolve_noun(  # noqa: C901 - one line a noun; a table of functions would hide the types
    profile: Profile, data: wire.Data, by: Source, envelope: Envelope
) -> None:
    match envelope.type.partition(".")[0]:
        case "order" | "shipment" | "return":
            orders.evolve(profile, data, by)
        case "ticket":
            tickets.evolve(profile, data, by, envelope.channel)
        case "call":
            calls.evolve(profile, data, by)
        case "survey":
            work.evolve_survey(profile, data, by)
        case "consent" | "message":
            person.evolve_consent(profile, data, by, envelope.channel)
        case "customer" | "preference" | "tier" | "score":
            person.evolve_customer(profile, data, by)
        case "points":
            person.evolve_loyalty(profile, data)
        case "subscription":
            person.evolve_plan(profile, data, by)
        case "note":
            work.evolve_note(profile, data, by)
        case "task":
            work.evolve_task(profile, data, by)
        case "commitment":
            work.evolve_commitment(profile, data, by)
        case _:
            pass  # a page view moves the touches and the counts, nothing else
