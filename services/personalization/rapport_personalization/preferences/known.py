"""What is known of somebody at this moment, with what they chose on the page an instant ago."""

from collections.abc import Iterable, Mapping
from typing import Final

from rapport_runtime.database import driver
from rapport_runtime.people import Person
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.moment import Mark
from rapport_personalization.domain.preferences import Said, caught_up
from rapport_personalization.known import load_states

_SAID: Final = """
SELECT subject_id::text, name, value, said_at, event_key FROM preference
WHERE subject_id = ANY($1::text[]::uuid[])
    AND NOT EXISTS (SELECT FROM moment WHERE moment.event_key = preference.event_key)
ORDER BY said_at, id
"""


async def load_known(tx: AsyncConnection, persons: Iterable[Person]) -> Mapping[str, Customer]:
    """By the person's key; nobody is left out."""
    by_key = {one.key: one.members for one in persons}
    keys = {member: key for key, members in by_key.items() for member in members}
    # What is on its way comes first: it may arrive between the two looks, and must be in one.
    rows = await (await driver(tx)).fetch(_SAID, list(keys))
    known = await load_states(tx, by_key)
    said: dict[str, list[Said]] = {}
    for subject, name, value, at, key in rows:
        said.setdefault(keys[subject], []).append(Said(name, value, Mark(at, key)))
    return {key: caught_up(one, said[key]) if key in said else one for key, one in known.items()}
