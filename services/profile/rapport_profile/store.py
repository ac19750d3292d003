"""Profiles and timelines to rows and back, a batch at a time."""

from collections.abc import Collection, Iterable, Sequence

from rapport_events.envelope import Record
from rapport_runtime.database import driver
from rapport_runtime.inbox import digest, sift
from rapport_runtime.subscription import Sifted
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_profile.domain.people import Person, Reference, Row
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
SELECT subject_id::text, merged_into::text, members::text[], state FROM profile
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


async def lock_rows(tx: AsyncConnection, subjects: Collection[str]) -> dict[str, Row]:
    """The rows of the subjects and of the persons they belong to, locked until the commit.

    In id order, so that two workers rarely wait for each other in a circle; where they do,
    the database ends one of them and its batch is tried again.
    """
    connection = await driver(tx)
    rows: dict[str, Row] = {}
    wanted = set(subjects)
    while wanted:
        found = await connection.fetch(_LOCK_ROWS, sorted(wanted))
        for subject, merged_into, members, state in found:
            profile = None if state is None else MEMORY.take(state)
            rows[subject] = Row(subject, merged_into, members, profile)
        pointed_at = {row.merged_into for row in rows.values() if row.merged_into}
        wanted = pointed_at - rows.keys()
    return rows


async def save_people(
    tx: AsyncConnection, people: Iterable[Person], known: Collection[str]
) -> None:
    """Writes back every person of the batch. `known`: subjects that had a row before.

    New rows are a plain COPY, not an upsert: if another worker made one of them meanwhile, this
    batch must fail and be read again, or the events that the other one folded would be lost.
    """
    connection = await driver(tx)
    new: list[StoredRow] = []
    moved: list[StoredRow] = []
    states: list[tuple[str, bytes]] = []
    for person in people:
        packed = pack(person.profile)
        MEMORY.keep(packed, person.profile)
        if person.is_joined:
            own = (person.root, None, person.members, packed)
            for row in (own, *((m, person.root, None, None) for m in person.members[1:])):
                (moved if row[0] in known else new).append(row)
        elif person.root in known:
            states.append((person.root, packed))
        else:
            new.append((person.root, None, None, packed))
    if new:
        await connection.copy_records_to_table("profile", records=new, columns=_PROFILE)
    if moved:
        columns = [list(column) for column in zip(*moved, strict=True)]
        # An array of arrays would have to be rectangular, so members go as array literals.
        columns[2] = [members and "{" + ",".join(members) + "}" for members in columns[2]]
        await connection.execute(_UPDATE_ROWS, *columns)
    if states:
        await connection.execute(_UPDATE_STATES, *map(list, zip(*states, strict=True)))


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
