"""What the API reads about why people are one person, and about who might be."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rapport_runtime.pool import Snapshot

from rapport_profile.domain.claims import Held
from rapport_profile.edges import load_known

_REFUSED: Final = """
SELECT merge_key FROM identity_edge
WHERE refused IS NOT NULL AND cut_at IS NULL AND merge_key > $1
ORDER BY merge_key LIMIT $2
"""

_TOUCHING: Final = """
SELECT merge_key FROM identity_edge
WHERE (a = ANY($1::text[]::uuid[]) OR b = ANY($1::text[]::uuid[]))
    AND (known_at, merge_key) > ($2, $3)
ORDER BY known_at, merge_key LIMIT $4
"""


async def load_refused(snap: Snapshot, after: bytes, limit: int) -> list[Held]:
    """Links that a guard holds back, by merge key."""
    return await _load(snap, [row[0] for row in await snap.fetch(_REFUSED, after, limit)])


async def load_links(
    snap: Snapshot, members: Sequence[str], after: tuple[datetime, bytes], limit: int
) -> list[Held]:
    """Everything that was said about whether these subjects are one person, the oldest first."""
    rows = await snap.fetch(_TOUCHING, members, *after, limit)
    return await _load(snap, [row[0] for row in rows])


async def _load(snap: Snapshot, keys: Sequence[bytes]) -> list[Held]:
    known = await load_known(snap, keys, ())
    return [known.edges[key] for key in keys]
