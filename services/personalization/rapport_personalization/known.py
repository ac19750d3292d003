"""What is known of people: as it is kept, or from all moments where nothing is."""

from collections.abc import Mapping
from typing import Final

import msgspec
from rapport_runtime.people import Person
from rapport_runtime.pool import Snapshot
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization import store
from rapport_personalization.domain.customer import Customer, unpacked
from rapport_personalization.domain.fold import folded
from rapport_personalization.reading import Kept, remembered

_STATE: Final = "SELECT state FROM customer WHERE person = $1::text::uuid"

_MOMENTS: Final = """
SELECT seq, event_key, value, birthday FROM moment WHERE subject_id = ANY($1::text[]::uuid[])
"""


async def load_known(snap: Snapshot, person: Person) -> Customer:
    """Somebody of whom nothing is known is known by name only."""
    state = await snap.fetchval(_STATE, person.key)
    if state is not None:
        try:
            return unpacked(state)
        except msgspec.DecodeError:
            # Another version kept it: as if there were none.
            pass
    rows = await snap.fetch(_MOMENTS, list(person.members))
    return folded(person.key, [remembered(Kept(*row)) for row in rows])


async def load_states(
    tx: AsyncConnection, wanted: Mapping[str, tuple[str, ...]]
) -> dict[str, Customer]:
    """Of people with these members, by their keys."""
    kept = await store.load_customers(tx, wanted)
    known = {key: customer for key, (customer, _) in kept.items()}
    missing = sorted(wanted.keys() - known.keys())
    if missing:
        histories = await store.load_history(tx, [one for key in missing for one in wanted[key]])
        for key in missing:
            parts = [histories[member][0] for member in wanted[key] if member in histories]
            known[key] = folded(key, [moment for part in parts for moment in part])
    return known
