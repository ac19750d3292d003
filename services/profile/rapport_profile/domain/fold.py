"""The fold: a person's events, in the order in which they happened, into their profile."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from rapport_events import wire
from rapport_events.envelope import Envelope, Record

from rapport_profile.domain import calls, orders, person, tickets, work
from rapport_profile.domain.state import Profile, Source, Touch
from rapport_profile.domain.suggestions import evolve_suggestion

Fact = tuple[Record, wire.Data]
"""A record with its decoded data."""

Order = tuple[datetime, datetime, bytes]
"""Where an event stands: time, recordedtime, key."""

OUR_WORDS: Final = frozenset(
    {"survey.sent.v1", "survey.not_invited.v1", "offer.issued.v1",
     "message.sent.v1", "message.delivered.v1", "message.bounced.v1"}
)  # fmt: skip
"""What machines of ours say to customers, or do not: no sign of anybody until they react."""

ORDER_FREE: Final = OUR_WORDS | {
    "page", "screen", "session", "product", "cart", "help", "feature", "content", "custom",
    "issue", "feedback", "loop", "decision", "action", "offer",
    "message.opened.v1", "message.clicked.v1",
}  # fmt: skip
"""Nouns, and single types of others, whose events move only counts and the last contact: these
come out the same whenever they are folded, so that a page view told late does not mean folding a
history anew."""

ASIDE: Final = frozenset({"survey", "task", "score"})
"""Nouns of which our own services tell as well, in a part of the profile that is theirs alone.

Their order matters among themselves only. Two topics are never read in step: were it one order,
a replay that is ahead in answers would fold a history anew for each interaction before them.
"""

COMMUTING: Final = frozenset({"suggestion"})
"""Nouns that write to the state, and come out the same in any order: never late, never in the way
of others."""

INWARD: Final = frozenset(
    {"note", "task", "commitment", "issue", "profile", "feedback", "loop", "decision", "action",
     "suggestion", "lifecycle", "score"}
)  # fmt: skip
"""Nouns of what we do or conclude among ourselves: no contact with the customer, whatever channel
their publisher puts on them."""

SILENT: Final = frozenset(
    {"customer.merged.v1", "customer.unmerged.v1", "customer.erased.v1",
     "lifecycle.stage_changed.v1"}
)  # fmt: skip
"""Events that the timeline tells and no state does. A merge that is taken back must be as good as
one that never was, and a stage is worked out anew whenever somebody asks."""

ASKING: Final = frozenset({"ticket", "call", "callback", "bot", "social"})
"""Nouns of contacts in which a customer wants something (`attempts` makes issues of them)."""


def is_late(profile: Profile, record: Record) -> bool:
    """Whether something that happened after this event has been folded, and that matters."""
    type_ = record.envelope.type
    noun = type_.partition(".")[0]
    newest = _newest_aside(profile) if noun in ASIDE else profile.newest
    return (
        newest is not None
        and record.order < newest
        and not (noun in COMMUTING or noun in ORDER_FREE)
        and not (type_ in ORDER_FREE or type_ in SILENT)
    )


def _newest_aside(profile: Profile) -> Order | None:
    """Of a state that was folded before there were two orders, no later than the one."""
    if profile.newest_aside is None and (profile.satisfaction or profile.tasks or profile.scores):
        return profile.newest
    return profile.newest_aside


def fold(profile: Profile, facts: Iterable[Fact]) -> Profile:
    """The profile after the facts, which are in fold order and none of them `is_late`."""
    for record, data in facts:
        if record.envelope.type not in SILENT:
            _evolve(profile, record, data)
    return profile


def fold_alike(profile: Profile, last: Record, times: int, since: datetime) -> None:
    """Many events of one type and channel at once, if the order of this type does not matter.

    `last`: the last of them; `since`: when the first one happened.
    """
    _count(profile, last, _source(last), times, since)


def _evolve(profile: Profile, record: Record, data: wire.Data) -> None:
    envelope = record.envelope
    by = _source(record)
    noun = _count(profile, record, by, 1, envelope.time)
    if noun in ORDER_FREE or envelope.type in ORDER_FREE:
        return
    if noun in ASIDE:
        profile.newest_aside = record.order
    elif noun not in COMMUTING:
        profile.newest = record.order
    _evolve_noun(profile, noun, data, by, envelope)


def _source(record: Record) -> Source:
    return Source(record.key.hex(), record.envelope.source, record.envelope.time)


def _count(profile: Profile, last: Record, by: Source, times: int, since: datetime) -> str:
    """What every event does, whatever it says; its noun."""
    envelope = last.envelope
    time, type_ = envelope.time, envelope.type
    if profile.first_seen is None or since < profile.first_seen:
        profile.first_seen = since
    profile.events[type_] = profile.events.get(type_, 0) + times
    noun = type_.partition(".")[0]
    if noun not in INWARD and type_ not in OUR_WORDS:
        if profile.last_seen is None or time > profile.last_seen:
            profile.last_seen = time
        if envelope.channel is not None:
            _touch(profile, envelope.channel, Touch(type_, by, envelope.recordedtime))
    if noun in ASKING and (profile.asked is None or time > profile.asked):
        profile.asked = time
    return noun


def _touch(profile: Profile, channel: str, touch: Touch) -> None:
    known = profile.touches.get(channel)
    if known is None or known.order < touch.order:
        profile.touches[channel] = touch


def _evolve_noun(  # noqa: C901 - one line a noun; a table of functions would hide the types
    profile: Profile, noun: str, data: wire.Data, by: Source, envelope: Envelope
) -> None:
    match noun:
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
        case "suggestion":
            evolve_suggestion(profile, data, by, envelope.recordedtime)
        case _:
            pass  # the timeline tells it; nothing here depends on it
