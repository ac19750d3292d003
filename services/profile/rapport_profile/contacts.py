"""The events that a person's issues are made of."""

from collections.abc import Mapping, Sequence
from typing import Final

from rapport_runtime.pool import Reads

from rapport_profile.consumer import TOPICS
from rapport_profile.history import When
from rapport_profile.queries import END
from rapport_profile.reader import Stored
from rapport_profile.tables import CONTACT

MOST_CONTACT_EVENTS: Final = 2_000
"""Newest events that issues are stitched from: a bound on what one answer may cost."""

# The types stand in the statement, or the index that holds only these would not be used.
_CONTACTS: Final = f"""
SELECT event_key, topic, partition, "offset", value FROM timeline
WHERE subject_id = ANY($1::text[]::uuid[]) AND time <= $2 AND recordedtime <= $3 AND {CONTACT}
ORDER BY time DESC, recordedtime DESC, event_key DESC LIMIT $4
"""  # noqa: S608 - constants of this package

Place = tuple[str, int]
"""Topic and partition."""


async def load_contact_events(
    reads: Reads, members: Sequence[str], when: When, reached: Mapping[Place, int]
) -> list[Stored]:
    """Contacts of the subjects up to the moment, newest first.

    `reached`: the offset of each place's next event. What has come since the answer's other parts
    were read is left out, so that all of it is of one moment.
    """
    until = when.as_of or END, when.known_at or END
    rows = await reads.fetch(_CONTACTS, list(members), *until, MOST_CONTACT_EVENTS)
    found = [Stored(*row) for row in rows]
    return [one for one in found if one.offset < reached.get((TOPICS[one.topic], one.partition), 0)]
