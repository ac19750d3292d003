"""Moments, people and candidates to rows and back, a batch at a time."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec
from msgspec import Struct
from rapport_events.envelope import Record
from rapport_runtime.database import driver
from rapport_runtime.inbox import digest, sift
from rapport_runtime.subscription import Sifted
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization.batches import Person
from rapport_personalization.domain.customer import Customer, packed, unpacked
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.scene import Candidate
from rapport_personalization.reading import Arrived, Kept, birthday_number, days_of, remembered

_MOMENT: Final = (
    "event_key", "seq", "subject_id", "time", "recordedtime", "type", "digest", "topic",
    "partition", "offset", "value", "birthday",
)  # fmt: skip

_CANDIDATE: Final = (
    "id", "trigger", "version", "rank", "person", "subject_id", "anchor", "thing", "at", "due",
    "send_at", "cause", "shadow",
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

_COLUMNS: Final = """
    id, trigger, version, rank, person::text, subject_id::text, anchor, thing, at, due, send_at,
    cause, shadow
"""

_WAITING: Final = f"SELECT {_COLUMNS} FROM candidate WHERE id = ANY($1::bytea[])"  # noqa: S608 - ours

_OF_SUBJECTS: Final = f"""
SELECT {_COLUMNS} FROM candidate WHERE subject_id = ANY($1::text[]::uuid[])
"""  # noqa: S608 - ours

_PUT_CANDIDATES: Final = """
INSERT INTO candidate (id, trigger, version, rank, person, subject_id, anchor, thing, at, due,
    send_at, cause, shadow)
SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::int[], $5::text[]::uuid[],
    $6::text[]::uuid[], $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[],
    $11::timestamptz[], $12::bytea[], $13::bool[])
ON CONFLICT (id) DO UPDATE SET version = excluded.version, rank = excluded.rank,
    subject_id = excluded.subject_id, thing = excluded.thing, at = excluded.at,
    due = excluded.due, send_at = excluded.send_at, cause = excluded.cause,
    shadow = excluded.shadow
"""

_DROP_CANDIDATES: Final = "DELETE FROM candidate WHERE id = ANY($1::bytea[])"

_DROP_CALENDAR: Final = """
DELETE FROM candidate WHERE person = ANY($1::text[]::uuid[]) AND trigger = ANY($2::text[])
"""

_DECIDED: Final = "SELECT id FROM decision WHERE id = ANY($1::bytea[])"

_PURGES: Final = tuple(
    f"DELETE FROM {table} WHERE {column} = ANY($1::text[]::uuid[])"  # noqa: S608 - ours
    for table, column in (
        ("moment", "subject_id"),
        ("customer", "person"),
        ("candidate", "subject_id"),
        ("decision", "subject_id"),
        ("offer", "subject_id"),
        ("suggestion", "subject_id"),
        ("suggesting", "person"),
        ("score", "person"),
        ("person_grouping", "subject_id"),
        ("backtest_decision", "subject_id"),
    )
)


class Waiting(Struct, frozen=True, gc=False):
    """A candidate with what the table knows beside it."""

    id: bytes
    candidate: Candidate
    rank: int
    subject: str
    shadow: bool

    @property
    def order(self) -> tuple[datetime, int, str, str]:
        one = self.candidate
        return (one.send_at, self.rank, one.person, one.anchor)


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


async def load_waiting(tx: AsyncConnection, ids: Collection[bytes]) -> dict[bytes, Waiting]:
    rows = await (await driver(tx)).fetch(_WAITING, list(ids))
    return {row[0]: waiting(row) for row in rows}


async def load_waiting_of(tx: AsyncConnection, subjects: Collection[str]) -> list[Waiting]:
    rows = await (await driver(tx)).fetch(_OF_SUBJECTS, list(subjects))
    return [waiting(row) for row in rows]


async def load_decided(tx: AsyncConnection, ids: Collection[bytes]) -> set[bytes]:
    return {row[0] for row in await (await driver(tx)).fetch(_DECIDED, list(ids))}


async def add_candidates(tx: AsyncConnection, all_: Collection[Waiting]) -> None:
    """Those of whom it is known that they do not wait yet."""
    if not all_:
        return
    rows = [_row(one) for one in all_]
    connection = await driver(tx)
    try:
        await connection.copy_records_to_table("candidate", records=rows, columns=_CANDIDATE)
    except asyncpg.UniqueViolationError as error:
        # No fault of the events: by the next try it is known.
        raise asyncpg.SerializationError("somebody has just added this candidate") from error


async def put_candidates(tx: AsyncConnection, all_: Collection[Waiting]) -> None:
    """Adds them, or moves those that wait already."""
    if not all_:
        return
    rows = [_row(one) for one in sorted(all_, key=lambda one: one.id)]
    connection = await driver(tx)
    await connection.execute(_PUT_CANDIDATES, *map(list, zip(*rows, strict=True)))


async def drop_candidates(tx: AsyncConnection, ids: Collection[bytes]) -> None:
    if ids:
        await (await driver(tx)).execute(_DROP_CANDIDATES, sorted(ids))


async def drop_calendar(
    tx: AsyncConnection, persons: Collection[str], triggers: Collection[str]
) -> None:
    """Days that are reckoned anew."""
    if persons and triggers:
        connection = await driver(tx)
        await connection.execute(_DROP_CALENDAR, list(persons), list(triggers))


async def purge(tx: AsyncConnection, subjects: Collection[str]) -> None:
    """Everything of erased people; that they were erased is remembered elsewhere."""
    connection = await driver(tx)
    for statement in _PURGES:
        await connection.execute(statement, list(subjects))


def waiting(row: "asyncpg.Record | Mapping[str, Any]") -> Waiting:
    candidate = Candidate(
        trigger=row["trigger"],
        version=row["version"],
        person=row["person"],
        anchor=row["anchor"],
        thing=row["thing"],
        at=row["at"],
        due=row["due"],
        send_at=row["send_at"],
        key=row["cause"],
    )
    return Waiting(row["id"], candidate, row["rank"], row["subject_id"], row["shadow"])


def _row(one: Waiting) -> tuple[object, ...]:
    it = one.candidate
    return (
        one.id, it.trigger, it.version, one.rank, it.person, one.subject, it.anchor, it.thing,
        it.at, it.due, it.send_at, it.key, one.shadow,
    )  # fmt: skip
