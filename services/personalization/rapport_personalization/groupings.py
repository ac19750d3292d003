"""Remembers since when whom has been taken for one person: the past is asked for as known then."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS
from rapport_runtime.database import driver
from rapport_runtime.people import Persons
from sqlalchemy.ext.asyncio import AsyncConnection

_NOTE: Final = """
INSERT INTO person_grouping (subject_id, seq, person, at)
SELECT subject::uuid, next.seq, person::uuid, $3
FROM unnest($1::text[], $2::text[]) AS new (subject, person),
    (SELECT nextval(pg_get_serial_sequence('moment', 'seq')) AS seq) AS next
"""


async def note(
    tx: AsyncConnection, people: Persons, joined: Collection[str], batch: Sequence[Record]
) -> None:
    """Everybody who is one person with others than before: what the batch told of them.

    It has a number before those of the batch's moments, and after all that were known of them.
    """
    told = {
        member: person.key
        for person in {people.of(subject) for subject in joined}
        for member in person.members
    }
    await (await driver(tx)).execute(_NOTE, list(told), list(told.values()), _heard(batch))


def _heard(batch: Sequence[Record]) -> datetime:
    return max(one.envelope.recordedtime for one in batch if one.topic == CUSTOMERS.name)
