"""What is known of somebody at this moment, with what they chose on the page an instant ago."""

from collections.abc import Iterable, Mapping
from typing import Final

from rapport_runtime.database import driver
from rapport_runtime.people import Person
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization import store
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.fold import folded
from rapport_personalization.domain.moment import Mark
from rapport_personalization.domain.preferences import Said, caught_up

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
    known = await _customers(tx, by_key)
    said: dict[str, list[Said]] = {}
    for subject, name, value, at, key in rows:
        said.setdefault(keys[subject], []).append(Said(name, value, Mark(at, key)))
    return {key: caught_up(one, said[key]) if key in said else one for key, one in known.items()}


async def _customers(
    tx: AsyncConnection, by_key: Mapping[str, tuple[str, ...]]
) -> dict[str, Customer]:
    """From the cache, or else from what happened."""
    kept = await store.load_customers(tx, by_key)
    found = {key: customer for key, (customer, _) in kept.items()}
    missing = [key for key in by_key if key not in found]
    if missing:
        history = await store.load_history(tx, [one for key in missing for one in by_key[key]])
        for key in missing:
            parts = [history[member][0] for member in by_key[key] if member in history]
            found[key] = folded(key, [moment for part in parts for moment in part])
    return found
