"""A person as they were: the same fold, over the events up to a moment."""

from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from rapport_events.codec import decode_again, decode_data
from rapport_events.envelope import Record
from rapport_runtime.pool import Snapshot

from rapport_profile.domain.fold import ORDER_FREE, Fact, fold, fold_alike
from rapport_profile.domain.state import Profile, pack, unpack
from rapport_profile.queries import END, MOST_TRAIT_EVENTS
from rapport_profile.reader import Stored
from rapport_profile.tables import TRAIT_BEARING

CHUNK: Final = 500
"""Events between two turns of the event loop: some milliseconds of folding."""

_EVENTS: Final = """
SELECT event_key, topic, partition, "offset", value FROM timeline
WHERE subject_id = ANY($1::text[]::uuid[]) AND time <= $2 AND recordedtime <= $3
    AND NOT (split_part(type, '.', 1) = ANY($4::text[]) OR type = ANY($4::text[]))
ORDER BY time, recordedtime, event_key
"""

_ALIKE: Final = """
SELECT DISTINCT ON (type, channel) event_key, topic, partition, "offset", value,
    count(*) OVER alike, min(time) OVER alike
FROM timeline
WHERE subject_id = ANY($1::text[]::uuid[]) AND time <= $2 AND recordedtime <= $3
    AND (split_part(type, '.', 1) = ANY($4::text[]) OR type = ANY($4::text[]))
WINDOW alike AS (PARTITION BY type, channel)
ORDER BY type, channel, time DESC, recordedtime DESC, event_key DESC
"""
"""Page views and their like: for most customers most of the history, and only counted."""

_ORDER_FREE: Final = sorted(ORDER_FREE)

_TELLING: Final = """
SELECT event_key, topic, partition, "offset", value FROM timeline
WHERE subject_id = ANY($1::text[]::uuid[]) AND time <= $2 AND recordedtime <= $3
    AND type LIKE ANY(ARRAY['customer.%', 'preference.%', 'tier.%', 'score.%'])
ORDER BY time DESC, recordedtime DESC, event_key DESC LIMIT $4
"""
"""The nouns of which the fold makes traits, preferences and scores (`fold._evolve_noun`)."""

MOST_TELLING: Final = 5_000


class When(NamedTuple):
    """The moment that is asked for, in both times; None is now, with nothing held back."""

    as_of: datetime | None = None
    """Only what had happened by then, itself included."""
    known_at: datetime | None = None
    """Only what ingest had accepted by then, and who was one person with whom as known then."""

    @property
    def is_now(self) -> bool:
        return self.as_of is None and self.known_at is None

    def instant(self, now: datetime) -> datetime:
        """The moment that ages are counted to."""
        return self.as_of or self.known_at or now


NOW: Final = When()


class Past(NamedTuple):
    """A person at a moment."""

    profile: Profile
    trait_events: Sequence[Stored]
    """The newest that tell who somebody is, newest first."""


async def load_history(
    snap: Snapshot,
    members: Sequence[str],
    *,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> list[Fact]:
    """All events of the subjects up to the moment, in fold order."""
    chunks = _chunks(snap, members, When(as_of, known_at), ())
    return [fact async for chunk in chunks for _, fact in chunk]


async def load_past(snap: Snapshot, members: Sequence[str], when: When) -> Past:
    """The person whose subjects these are, folded from their events up to the moment."""
    profile = Profile()
    trait_events: deque[Stored] = deque(maxlen=MOST_TRAIT_EVENTS)
    for *row, times, since in await snap.fetch(_ALIKE, *bounds(members, when), _ORDER_FREE):
        last, _ = fact_of(Stored(*row))
        fold_alike(profile, last, times, since)
    async for chunk in _chunks(snap, members, when, _ORDER_FREE):
        fold(profile, (fact for _, fact in chunk))
        trait_events.extendleft(
            stored for stored, (record, _) in chunk if record.envelope.type in TRAIT_BEARING
        )
    # Packed once, so that ties in the view fall as they do in that of the stored state.
    return Past(unpack(pack(profile)), tuple(trait_events))


async def load_telling(snap: Snapshot, members: Sequence[str], when: When) -> list[Stored]:
    """The newest events that may tell a trait, a preference or a score, in fold order."""
    rows = await snap.fetch(_TELLING, *bounds(members, when), MOST_TELLING)
    return [Stored(*row) for row in reversed(rows)]


async def _chunks(
    snap: Snapshot, members: Sequence[str], when: When, without: Sequence[str]
) -> AsyncIterator[list[tuple[Stored, Fact]]]:
    cursor = await snap.cursor(_EVENTS, *bounds(members, when), without)
    while rows := await cursor.fetch(CHUNK):
        yield [(stored, fact_of(stored)) for stored in (Stored(*row) for row in rows)]


def bounds(members: Sequence[str], when: When) -> tuple[object, ...]:
    """A person at a moment as arguments of a statement: subjects, time, recordedtime."""
    return list(members), when.as_of or END, when.known_at or END


def fact_of(stored: Stored) -> Fact:
    """A row of the timeline as the fold takes it. No fold asks for the topic."""
    envelope = decode_again(stored.value)
    record = Record(
        topic="",
        partition=stored.partition,
        offset=stored.offset,
        key=stored.key,
        envelope=envelope,
        value=stored.value,
    )
    return record, decode_data(envelope)
