"""What is held: known only from later events, so that it counts nowhere yet."""

from typing import Final

from rapport_runtime.pool import Snapshot

KINDS: Final = ("call", "loop", "order", "survey", "ticket")

_COUNT: Final = """
SELECT kind, count(*) FROM entity WHERE kind = ANY($1::text[]) AND last_at IS NULL GROUP BY kind
"""


async def count_held(snap: Snapshot) -> dict[str, int]:
    """How many of each kind; `domain.past.span` gives those no time."""
    found = dict(await snap.fetch(_COUNT, KINDS))
    return {kind: found.get(kind, 0) for kind in KINDS}
