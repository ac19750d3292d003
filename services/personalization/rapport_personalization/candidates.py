"""Candidates to rows and back: the timers of what may have to be done."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import asyncpg
from msgspec import Struct
from rapport_runtime.database import driver
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization.domain.scene import Candidate

_ROW: Final = (
    "id", "trigger", "version", "rank", "person", "subject_id", "anchor", "thing", "at", "due",
    "send_at", "cause", "shadow",
)  # fmt: skip

_COLUMNS: Final = """
    id, trigger, version, rank, person::text, subject_id::text, anchor, thing, at, due, send_at,
    cause, shadow
"""

_WAITING: Final = f"SELECT {_COLUMNS} FROM candidate WHERE id = ANY($1::bytea[])"  # noqa: S608 - ours

_OF_SUBJECTS: Final = f"""
SELECT {_COLUMNS} FROM candidate WHERE subject_id = ANY($1::text[]::uuid[])
"""  # noqa: S608 - ours

_PUT: Final = """
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

_DROP: Final = "DELETE FROM candidate WHERE id = ANY($1::bytea[])"

_DROP_DAYS: Final = """
DELETE FROM candidate WHERE person = ANY($1::text[]::uuid[]) AND trigger = ANY($2::text[])
"""


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


async def load(tx: AsyncConnection, ids: Collection[bytes]) -> dict[bytes, Waiting]:
    rows = await (await driver(tx)).fetch(_WAITING, list(ids))
    return {row[0]: waiting(row) for row in rows}


async def load_of(tx: AsyncConnection, subjects: Collection[str]) -> list[Waiting]:
    rows = await (await driver(tx)).fetch(_OF_SUBJECTS, list(subjects))
    return [waiting(row) for row in rows]


async def add(tx: AsyncConnection, all_: Collection[Waiting]) -> None:
    """Those of whom it is known that they do not wait yet."""
    if not all_:
        return
    rows = [_row(one) for one in all_]
    connection = await driver(tx)
    try:
        await connection.copy_records_to_table("candidate", records=rows, columns=_ROW)
    except asyncpg.UniqueViolationError as error:
        # No fault of the events: by the next try it is known.
        raise asyncpg.SerializationError("somebody has just added this candidate") from error


async def put(tx: AsyncConnection, all_: Collection[Waiting]) -> None:
    """Adds them, or moves those that wait already."""
    if not all_:
        return
    rows = [_row(one) for one in sorted(all_, key=lambda one: one.id)]
    connection = await driver(tx)
    await connection.execute(_PUT, *map(list, zip(*rows, strict=True)))


async def drop(tx: AsyncConnection, ids: Collection[bytes]) -> None:
    if ids:
        await (await driver(tx)).execute(_DROP, sorted(ids))


async def drop_days(
    tx: AsyncConnection, persons: Collection[str], triggers: Collection[str]
) -> None:
    """Days that are reckoned anew."""
    if persons and triggers:
        connection = await driver(tx)
        await connection.execute(_DROP_DAYS, list(persons), list(triggers))


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
