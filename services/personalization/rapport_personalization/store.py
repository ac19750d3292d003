"""Moments and people to rows and back, a batch at a time."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec
from rapport_events.envelope import Record
from rapport_runtime.database import driver
from rapport_runtime.inbox import digest, sift
from rapport_runtime.subscription import Sifted
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization.batches import Person
from rapport_personalization.domain.customer import Customer, packed, unpacked
from rapport_personalization.domain.moment import Moment
from rapport_personalization.reading import Arrived, Kept, birthday_number, days_of, remembered

_MOMENT: Final = (
    "event_key", "seq", "subject_id", "time", "recordedtime", "type", "digest", "topic",
    "partition", "offset", "value", "birthday",
)  # fmt: skip

_KNOWN: Final = "SELECT event_key, digest FROM moment WHERE event_key = ANY($1::bytea[])"

_NUMBERS: Final = """
SELECT nextval(pg_get_serial_sequence('moment', 'seq')) FROM generate_series(1, $1::int)
"""

_CUSTOMERS: Final = """
SELECT person::text, state, seq FROM customer WHERE person = ANY($1::text[]::uuid[])
"""

_HISTORY: Final = """
SELECT subject_id::text, seq, event_key, value, birthday FROM moment
WHERE subject_id = ANY($1::text[]::uuid[])
"""

_PUT_CUSTOMERS: Final = """
INSERT INTO customer (person, state, seq, birthday, anniversary)
SELECT * FROM unnest($1::text[]::uuid[], $2::bytea[], $3::bigint[], $4::int2[], $5::int2[])
ON CONFLICT (person) DO UPDATE SET state = excluded.state, seq = excluded.seq,
    birthday = excluded.birthday, anniversary = excluded.anniversary
"""

_DROP_CUSTOMERS: Final = "DELETE FROM customer WHERE person = ANY($1::text[]::uuid[])"

_PURGES: Final = tuple(
    f"DELETE FROM {table} WHERE {column} = ANY($1::text[]::uuid[])"  # noqa: S608 - ours
    for table, column in (
        ("moment", "subject_id"),
        ("customer", "person"),
        ("candidate", "subject_id"),
        ("decision", "subject_id"),
        ("offer", "subject_id"),
        ("suggestion", "subject_id"),
        ("preference", "subject_id"),
        ("suggesting", "person"),
        ("score", "person"),
        ("person_grouping", "subject_id"),
        ("backtest_decision", "subject_id"),
    )
)


async def fresh(tx: AsyncConnection, batch: Sequence[Record]) -> Sifted:
    """What is no moment yet: its key is the deduplication, for ever. Others change nothing."""
    keys = [record.key for record in batch]
    known = await (await driver(tx)).fetch(_KNOWN, keys)
    if not known and len(set(keys)) == len(keys):
        return Sifted(batch)
    return sift(batch, dict(known))


async def number(tx: AsyncConnection, arrived: Sequence[Arrived]) -> list[Arrived]:
    """In the order of their arrival. Whoever numbers has locked the people: theirs only rise."""
    rows = await (await driver(tx)).fetch(_NUMBERS, len(arrived))
    return [Arrived(one.moment, one.record, row[0]) for one, row in zip(arrived, rows, strict=True)]


async def add_moments(tx: AsyncConnection, arrived: Iterable[Arrived]) -> None:
    """A plain COPY: if another worker added one of them meanwhile, this batch is read again."""
    rows = [
        (
            moment.key, seq, moment.subject, moment.at, moment.recorded, moment.type,
            digest(record), record.topic, record.partition, record.offset, record.value,
            birthday_number(moment),
        )
        for moment, record, seq in arrived
    ]  # fmt: skip
    connection = await driver(tx)
    await connection.copy_records_to_table("moment", records=rows, columns=_MOMENT)


async def load_customers(
    tx: AsyncConnection, persons: Collection[str]
) -> dict[str, tuple[Customer, int]]:
    """Those whose state is kept, with the greatest number in it."""
    rows = await (await driver(tx)).fetch(_CUSTOMERS, list(persons))
    found = {}
    for person, state, seq in rows:
        try:
            found[person] = (unpacked(state), seq)
        except msgspec.DecodeError:
            # An older version kept it: as if there were none.
            continue
    return found


async def load_history(
    tx: AsyncConnection, subjects: Collection[str]
) -> dict[str, tuple[list[Moment], int]]:
    """By subject: all moments, and the greatest number."""
    rows = await (await driver(tx)).fetch(_HISTORY, list(subjects))
    found: dict[str, tuple[list[Moment], int]] = {}
    for subject, seq, key, value, birthday in rows:
        moments, newest = found.get(subject, ([], 0))
        moments.append(remembered(Kept(seq, key, value, birthday)))
        found[subject] = (moments, max(newest, seq))
    return found


async def save_customers(tx: AsyncConnection, persons: Iterable[Person]) -> None:
    rows = [
        (one.key, packed(one.customer), one.seq, *days_of(one.customer))
        for one in persons
        if one.customer is not None
    ]
    if rows:
        connection = await driver(tx)
        await connection.execute(_PUT_CUSTOMERS, *map(list, zip(*rows, strict=True)))


async def forget_states(tx: AsyncConnection, persons: Collection[str]) -> None:
    await (await driver(tx)).execute(_DROP_CUSTOMERS, list(persons))


async def purge(tx: AsyncConnection, subjects: Collection[str]) -> None:
    """Everything of erased people; that they were erased is remembered elsewhere."""
    connection = await driver(tx)
    for statement in _PURGES:
        await connection.execute(statement, list(subjects))
