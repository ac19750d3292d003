"""What the API reads, statement by statement, inside one snapshot of the database."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final, NamedTuple

from rapport_runtime import pool as pools
from rapport_runtime.pool import Pool, Reads, Snapshot
from rapport_runtime.standing import Progressed

from rapport_profile.cards import Glance, Place
from rapport_profile.domain.state import Profile, unpack
from rapport_profile.reader import Stored

snapshot: Final = partial(pools.snapshot, hold="profile")

MOST_TRAIT_EVENTS: Final = 1_000
"""Newest events that traits are folded from: a bound on what one answer may cost."""

BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)
END: Final = datetime(9999, 12, 31, tzinfo=UTC)

_PEOPLE: Final = """
SELECT named.subject_id::text, root.subject_id::text,
    coalesce(root.members, ARRAY[root.subject_id])::text[], root.state, root.erased_at IS NOT NULL
FROM profile named JOIN profile root
    ON root.subject_id = coalesce(named.merged_into, named.subject_id)
WHERE named.subject_id = ANY($1::text[]::uuid[])
    AND (root.state IS NOT NULL OR root.erased_at IS NOT NULL)
"""
"""A row with neither is there to be locked: somebody named the subject, and nothing happened."""

_LOOK: Final = """
SELECT progress.*, person.*, told.*
FROM (
    SELECT array_agg(topic), array_agg(partition), array_agg(next_offset),
        array_agg(high_watermark), array_agg(recorded_at), array_agg(updated_at)
    FROM (SELECT * FROM projector_offset WHERE projector = $1 ORDER BY topic, partition) AS sorted
) AS progress LEFT JOIN (
    SELECT root.subject_id AS subject, root.state,
        coalesce(root.members, ARRAY[root.subject_id])::text[] AS members,
        root.erased_at IS NOT NULL AS erased
    FROM profile named JOIN profile root
        ON root.subject_id = coalesce(named.merged_into, named.subject_id)
    WHERE named.subject_id = $2::text::uuid
        AND (root.state IS NOT NULL OR root.erased_at IS NOT NULL)
) AS person ON true LEFT JOIN LATERAL (
    SELECT array_agg(event_key), array_agg(topic), array_agg(partition), array_agg("offset"),
        array_agg(value)
    FROM (
        SELECT event_key, topic, partition, "offset", value FROM timeline
        WHERE subject_id = ANY(person.members::uuid[])
            AND type IN ('customer.created.v1', 'customer.identified.v1', 'customer.grouped.v1')
        ORDER BY time DESC, recordedtime DESC, event_key DESC LIMIT $3
    ) AS newest
) AS told ON true
"""
"""Progress, person and trait events. One statement sees one moment, without a transaction."""

_OWNERS: Final = """
SELECT DISTINCT coalesce(profile.merged_into, profile.subject_id)::text
FROM reference JOIN profile USING (subject_id) WHERE reference.kind = $1 AND reference.ref = $2
ORDER BY 1 LIMIT $3
"""

_SUBJECTS: Final = """
SELECT DISTINCT subject_id::text FROM reference WHERE kind = $1 AND ref = $2 ORDER BY 1 LIMIT $3
"""

_TRAIT_EVENTS: Final = """
SELECT event_key, topic, partition, "offset", value FROM timeline
WHERE subject_id = ANY($1::text[]::uuid[])
    AND type IN ('customer.created.v1', 'customer.identified.v1', 'customer.grouped.v1')
ORDER BY time DESC, recordedtime DESC, event_key DESC LIMIT $2
"""

_EVENTS: Final = """
SELECT event_key, topic, partition, "offset", value FROM timeline WHERE event_key = ANY($1)
"""

_PAGE: Final = """
SELECT page.event_key, page.topic, page.partition, page."offset", page.value
FROM unnest($1::text[]::uuid[]) AS member (subject_id) CROSS JOIN LATERAL (
    SELECT * FROM timeline
    WHERE timeline.subject_id = member.subject_id AND time >= $2 AND time <= $3
        AND (time, recordedtime, event_key) < ($3, $4, $5)
        AND type LIKE ANY($6::text[]) AND ($7::text[] IS NULL OR channel = ANY($7))
        AND recordedtime <= $8
    ORDER BY time DESC, recordedtime DESC, event_key DESC LIMIT $9
) AS page
ORDER BY page.time DESC, page.recordedtime DESC, page.event_key DESC LIMIT $9
"""

_GLANCES: Final = """
SELECT page.time, page.recordedtime, page.event_key, page.type, page.channel
FROM unnest($1::text[]::uuid[]) AS member (subject_id) CROSS JOIN LATERAL (
    SELECT time, recordedtime, event_key, type, channel FROM timeline
    WHERE timeline.subject_id = member.subject_id AND time >= $2 AND time <= $3
        AND (time, recordedtime, event_key) < ($3, $4, $5)
        AND type LIKE ANY($6::text[]) AND ($7::text[] IS NULL OR channel = ANY($7))
        AND recordedtime <= $8
    ORDER BY time DESC, recordedtime DESC, event_key DESC LIMIT $9
) AS page
ORDER BY page.time DESC, page.recordedtime DESC, page.event_key DESC LIMIT $9
"""


class Person(NamedTuple):
    """A person as the projection has them."""

    subject: str
    members: Sequence[str]
    profile: Profile
    is_erased: bool = False


class Look(NamedTuple):
    """What most reads of a person need, all of one moment."""

    progress: Sequence[Progressed]
    person: Person | None
    trait_events: Sequence[Stored]


class Selection(NamedTuple):
    """Which part of a history is asked for; `patterns` are SQL LIKE patterns of types."""

    patterns: Sequence[str] = ("%",)
    channels: Sequence[str] | None = None
    since: datetime = BEGINNING
    before: Place = Place(END, BEGINNING, b"")
    known_at: datetime = END


async def load_person(snap: Snapshot, subject: str) -> Person | None:
    """The person of a subject, merged or not."""
    return (await load_people(snap, [subject])).get(subject)


async def load_people(snap: Snapshot, subjects: Collection[str]) -> dict[str, Person]:
    """The persons of those of the subjects that are known."""
    return {
        subject: Person(root, members, _unpacked(state), erased)
        for subject, root, members, state, erased in await snap.fetch(_PEOPLE, list(subjects))
    }


async def look(pool: Pool, projector: str, subject: str, *, with_traits: bool) -> Look:
    """The person of a subject, and how far the projection was at that moment."""
    limit = MOST_TRAIT_EVENTS if with_traits else 0
    row = await pool.fetchrow(_LOOK, projector, subject, limit)
    assert row is not None  # noqa: S101 - aggregates always have a row
    progress = [Progressed(*one) for one in zip(*(row[:6] if row[0] else ()), strict=True)]
    if row["subject"] is None:
        return Look(progress, None, ())
    told = [Stored(*one) for one in zip(*(row[10:] if row[10] else ()), strict=True)]
    person = Person(str(row["subject"]), row["members"], _unpacked(row["state"]), row["erased"])
    return Look(progress, person, told)


async def load_owners(snap: Reads, kind: str, ref: str, limit: int) -> list[str]:
    """The persons whose order, ticket or call it is; more than one where ids are not unique."""
    return [row[0] for row in await snap.fetch(_OWNERS, kind, ref, limit)]


async def load_subjects(snap: Reads, kind: str, ref: str, limit: int) -> list[str]:
    """The subjects that a thing was told of, whoever they have been merged with since."""
    return [row[0] for row in await snap.fetch(_SUBJECTS, kind, ref, limit)]


async def load_trait_events(snap: Snapshot, members: Sequence[str]) -> list[Stored]:
    """The newest events that tell who somebody is."""
    rows = await snap.fetch(_TRAIT_EVENTS, members, MOST_TRAIT_EVENTS)
    return [Stored(*row) for row in rows]


async def load_events(snap: Reads, keys: Collection[bytes]) -> list[Stored]:
    """The events of these keys, in no order. Events never change: any moment will do."""
    if not keys:
        return []
    return [Stored(*row) for row in await snap.fetch(_EVENTS, list(keys))]


async def load_page(
    snap: Snapshot, members: Sequence[str], selection: Selection, limit: int
) -> list[Stored]:
    """Events of a history, newest first."""
    rows = await snap.fetch(_PAGE, *_arguments(members, selection), limit)
    return [Stored(*row) for row in rows]


async def load_glances(
    snap: Snapshot, members: Sequence[str], selection: Selection, limit: int
) -> list[Glance]:
    """The same, without what the events say."""
    rows = await snap.fetch(_GLANCES, *_arguments(members, selection), limit)
    return [Glance(Place(*row[:3]), row[3], row[4]) for row in rows]


def _unpacked(state: bytes | None) -> Profile:
    return Profile() if state is None else unpack(state)


def _arguments(members: Sequence[str], selection: Selection) -> tuple[object, ...]:
    before = selection.before
    return (
        members, selection.since, before.time, before.recordedtime, before.key,
        selection.patterns, selection.channels, selection.known_at,
    )  # fmt: skip
