"""What a live stream reads: who the person is now, and what of them was not told yet."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from rapport_runtime.pool import Reads, Snapshot

from rapport_profile.domain.state import Profile, unpack
from rapport_profile.position import Found, Position
from rapport_profile.queries import Person
from rapport_profile.reader import Stored

_HEAD: Final = """
SELECT root.subject_id::text, coalesce(root.members, ARRAY[root.subject_id])::text[], root.state,
    root.erased_at IS NOT NULL, root.subject_id::text || '.' || root.xmin::text
FROM profile named JOIN profile root
    ON root.subject_id = coalesce(named.merged_into, named.subject_id)
WHERE named.subject_id = $1::text::uuid
    AND (root.state IS NOT NULL OR root.erased_at IS NOT NULL)
"""

_VERSIONS: Final = """
SELECT named.subject_id::text, root.subject_id::text || '.' || root.xmin::text
FROM profile named JOIN profile root
    ON root.subject_id = coalesce(named.merged_into, named.subject_id)
WHERE named.subject_id = ANY($1::text[]::uuid[])
"""

_FOUND: Final = """
SELECT subject_id::text, topic, partition,
    count(*) FILTER (WHERE "offset" < mark.next_offset), count(*), max("offset") + 1
FROM timeline LEFT JOIN unnest($2::text[]::uuid[], $3::smallint[], $4::int[], $5::bigint[])
    AS mark (subject_id, topic, partition, next_offset) USING (subject_id, topic, partition)
WHERE subject_id = ANY($1::text[]::uuid[])
GROUP BY subject_id, topic, partition
"""

_NEXT: Final = """
SELECT subject_id::text, event_key, topic, partition, "offset", value
FROM timeline LEFT JOIN unnest($2::text[]::uuid[], $3::smallint[], $4::int[], $5::bigint[])
    AS mark (subject_id, topic, partition, next_offset) USING (subject_id, topic, partition)
WHERE subject_id = ANY($1::text[]::uuid[]) AND "offset" >= coalesce(mark.next_offset, 0)
ORDER BY max(recordedtime) OVER (
    PARTITION BY subject_id, topic, partition ORDER BY "offset"
), topic, partition, "offset" LIMIT $6
"""
"""As recorded, and in each place as in the log: clocks of two ingest processes may differ, and a
page that left out an earlier offset could never be continued."""


class Head(NamedTuple):
    """A person at one moment."""

    person: Person
    version: str
    """Another one after each change of the person."""


class News(NamedTuple):
    """The next page of what was not told."""

    anew: Sequence[str]
    """Subjects that it tells of from the beginning."""
    events: Sequence[Stored]
    after: Position
    is_all: bool


async def load_head(snap: Snapshot, subject: str) -> Head | None:
    """The person whom the subject belongs to now."""
    row = await snap.fetchrow(_HEAD, subject)
    if row is None:
        return None
    root, members, state, is_erased, version = row
    profile = Profile() if state is None else unpack(state)
    return Head(Person(root, members, profile, is_erased), version)


async def load_versions(reads: Reads, subjects: Sequence[str]) -> dict[str, str]:
    """What `Head.version` is by now, for many at once."""
    return dict(await reads.fetch(_VERSIONS, subjects))


async def load_end(snap: Snapshot, members: Sequence[str]) -> Position:
    """The position of whom has been told everything."""
    return Position.at_end(members, await _load_found(snap, members, Position({})))


async def load_kept(snap: Snapshot, members: Sequence[str], position: Position) -> Position:
    """What of the position still holds."""
    return position.kept(members, await _load_found(snap, members, position))


async def load_news(snap: Snapshot, members: Sequence[str], position: Position, limit: int) -> News:
    """What these subjects' events tell that the position does not have, at most `limit` events."""
    found = await _load_found(snap, members, position)
    kept = position.kept(members, found)
    anew = [member for member in members if member not in kept.marks]
    is_behind = any(one.subject in anew or one.total > one.below for one in found)
    rows = await snap.fetch(_NEXT, members, *_columns(kept), limit + 1) if is_behind else []
    page = [(row[0], Stored(*row[1:])) for row in rows[:limit]]
    after = kept.told(
        members, ((subject, (one.topic, one.partition), one.offset) for subject, one in page)
    )
    return News(anew, [one for _, one in page], after, len(rows) <= limit)


async def _load_found(snap: Snapshot, members: Sequence[str], position: Position) -> list[Found]:
    return [Found(*row) for row in await snap.fetch(_FOUND, members, *_columns(position))]


def _columns(position: Position) -> tuple[list[object], ...]:
    marks = [
        (subject, topic, partition, mark.next_offset)
        for subject, places in position.marks.items()
        for (topic, partition), mark in places.items()
    ]
    return tuple(list(column) for column in zip(*marks, strict=True)) or ([], [], [], [])
