"""Profiles and timelines to rows and back, a batch at a time."""

from collections.abc import Collection, Iterator, Sequence

from rapport_events.envelope import Record
from rapport_runtime.database import driver
from rapport_runtime.inbox import digest, sift
from rapport_runtime.subscription import Sifted
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_profile.domain.people import People, Person, Reference, Row
from rapport_profile.domain.state import pack
from rapport_profile.memory import Memory

MEMORY = Memory()

_TIMELINE = (
    "event_key", "subject_id", "time", "recordedtime", "type", "channel",
    "digest", "topic", "partition", "offset", "value",
)  # fmt: skip

_PROFILE = ("subject_id", "merged_into", "members", "state")
StoredRow = tuple[str, str | None, list[str] | None, bytes | None]

_LOCK_ROWS = """
SELECT subject_id::text, merged_into::text, members::text[], state, erased_at FROM profile
WHERE subject_id = ANY($1::text[]::uuid[]) ORDER BY subject_id FOR UPDATE
"""

_UPDATE_STATES = """
UPDATE profile SET state = new.state
FROM unnest($1::text[]::uuid[], $2::bytea[]) AS new (subject_id, state)
WHERE profile.subject_id = new.subject_id
"""

_UPDATE_ROWS = """
UPDATE profile SET merged_into = new.merged_into, members = new.members::uuid[], state = new.state
FROM unnest($1::text[]::uuid[], $2::text[]::uuid[], $3::text[], $4::bytea[])
AS new (subject_id, merged_into, members, state)
WHERE profile.subject_id = new.subject_id
"""

_ADD_REFERENCES = """
INSERT INTO reference (kind, ref, subject_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[]::uuid[]) ON CONFLICT DO NOTHING
"""

_KNOWN = "SELECT event_key, digest FROM timeline WHERE event_key = ANY($1::bytea[])"

_HISTORY = """
SELECT topic, partition, "offset", event_key, value FROM timeline
WHERE subject_id = ANY($1::text[]::uuid[])
"""


async def fresh(tx: AsyncConnection, batch: Sequence[Record]) -> Sifted:
    """What of the batch is not in the timeline yet: its key is the deduplication, for ever."""
    connection = await driver(tx)
    known = await connection.fetch(_KNOWN, [record.key for record in batch])
    return sift(batch, dict(known))


async def append_timeline(
    tx: AsyncConnection, batch: Sequence[Record], topics: Sequence[str]
) -> None:
    """Adds the events as they stand in the log."""
    number = {topic: index for index, topic in enumerate(topics)}
    rows = []
    for record in batch:
        envelope = record.envelope
        rows.append(
            (
                record.key, envelope.subject, envelope.time, envelope.recordedtime,
                envelope.type, envelope.channel, digest(record),
                number[record.topic], record.partition, record.offset, record.value,
            )
        )  # fmt: skip
    connection = await driver(tx)
    await connection.copy_records_to_table("timeline", records=rows, columns=_TIMELINE)


async def lock_rows(tx: AsyncConnection, subjects: Collection[str], rows: dict[str, Row]) -> None:
    """Adds to `rows` those of the subjects and their persons, locked until the commit.

    In id order, so that two workers rarely wait for each other in a circle; where they do,
    the database ends one of them and its batch is tried again.
    """
    connection = await driver(tx)
    wanted = set(subjects) - rows.keys()
    while wanted:
        found = await connection.fetch(_LOCK_ROWS, sorted(wanted))
        for subject, merged_into, members, state, erased_at in found:
            profile = None if state is None else MEMORY.take(state)
            rows[subject] = Row(subject, merged_into, members, profile, erased_at)
        pointed_at = {row[1] for row in found if row[1] is not None}
        wanted = pointed_at - rows.keys()


async def save_people(tx: AsyncConnection, people: People) -> None:
    """Writes back every person whom the batch touched.

    New rows are a plain COPY, not an upsert: if another worker made one of them meanwhile, this
    batch must fail and be read again, or the events that the other one folded would be lost.
    """
    connection = await driver(tx)
    new, moved, states = _sort(people)
    if new:
        await connection.copy_records_to_table("profile", records=new, columns=_PROFILE)
    if moved:
        columns = [list(column) for column in zip(*moved, strict=True)]
        # An array of arrays would have to be rectangular, so members go as array literals.
        columns[2] = [members and "{" + ",".join(members) + "}" for members in columns[2]]
        await connection.execute(_UPDATE_ROWS, *columns)
    if states:
        await connection.execute(_UPDATE_STATES, *map(list, zip(*states, strict=True)))


def _sort(
    people: People,
) -> tuple[list[StoredRow], list[StoredRow], list[tuple[str, bytes]]]:
    """Rows to insert, rows to rewrite, and states of those whose row stays what it is."""
    new: list[StoredRow] = []
    moved: list[StoredRow] = []
    states: list[tuple[str, bytes]] = []
    for person in people:
        if not person.is_touched:
            continue
        packed = _packed(person)
        if person.is_moved:
            for row in _rows(person, packed):
                (moved if row[0] in people.known else new).append(row)
        elif person.root not in people.known:
            new.append((person.root, None, None, packed))
        elif packed is not None:
            states.append((person.root, packed))
    return new, moved, states


def _packed(person: Person) -> bytes | None:
    """None for whom nothing has happened to: a row to lock, and no customer."""
    if person.is_blank:
        return None
    packed = pack(person.profile)
    MEMORY.keep(packed, person.profile)
    return packed


def _rows(person: Person, packed: bytes | None) -> Iterator[StoredRow]:
    """The rows of all members, the person's own first."""
    members = person.members if len(person.members) > 1 else None
    yield person.root, None, members, packed
    for member in person.members[1:]:
        yield member, person.root, None, None


async def add_references(tx: AsyncConnection, references: Collection[Reference]) -> None:
    """Remembers whose orders, tickets and calls these are."""
    if references:
        connection = await driver(tx)
        columns = zip(*sorted(references), strict=True)
        await connection.execute(_ADD_REFERENCES, *map(list, columns))


async def load_history(
    tx: AsyncConnection, subjects: Collection[str]
) -> list[tuple[int, int, int, bytes, bytes]]:
    """Every event of the subjects: topic number, partition, offset, key, CloudEvent."""
    connection = await driver(tx)
    found: list[tuple[int, int, int, bytes, bytes]] = await connection.fetch(
        _HISTORY, list(subjects)
    )
    return found
