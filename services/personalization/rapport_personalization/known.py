"""What is known of one person, for answers: as it is kept, or from all moments."""

from typing import Final

import msgspec
from rapport_runtime.people import Person
from rapport_runtime.pool import Snapshot

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
