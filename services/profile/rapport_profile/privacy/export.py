"""Everything about a person, as their publishers could send it again: CloudEvents in the clear.

One JSON object a line: the events in the order in which they happened, then what our own services
told or concluded (`derived`: true), answers on our survey page among it, then how many there were.
Ingest takes the events and refuses the rest.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Final

import orjson
from rapport_events.topics import INTERACTIONS
from rapport_privacy.keyring import Keyring
from rapport_runtime.pool import Pool

from rapport_profile.consumer import TOPICS
from rapport_profile.privacy.clear import Names, clear_event, derived_event, merged_fact
from rapport_profile.reader import Opened, Stored, open_events

_PAGE_EVENTS: Final = 500

_EVENTS: Final = """
SELECT event_key, topic, partition, "offset", value, time, recordedtime FROM timeline
WHERE subject_id = ANY($1::text[]::uuid[]) AND (topic = $2) = $3
    AND ($4::timestamptz IS NULL OR (time, recordedtime, event_key) > ($4, $5, $6::bytea))
ORDER BY time, recordedtime, event_key LIMIT $7
"""

_MERGES: Final = """
SELECT merge_key, a::text, b::text, time, cut_at FROM identity_edge
WHERE a = ANY($1::text[]::uuid[]) AND b = ANY($1::text[]::uuid[]) AND NOT explicit
    AND refused IS NULL AND time IS NOT NULL
ORDER BY time, merge_key
"""


async def export_lines(
    pool: Pool, keyring: Keyring, subjects: Sequence[str]
) -> AsyncIterator[bytes]:
    """Every event and every derived fact of the person with these subjects.

    Raises KeyringUnavailableError; then the last line is missing.
    """
    events, derived = 0, 0
    async for opened in _pages(pool, keyring, subjects, derived=False):
        names = await _names(keyring, opened)
        events += len(opened)
        yield b"".join(_line(clear_event(one, names)) for one in opened)
    async for opened in _pages(pool, keyring, subjects, derived=True):
        derived += len(opened)
        yield b"".join(_line(derived_event(one)) for one in opened)
    merges = await pool.fetch(_MERGES, subjects)
    if merges:
        yield b"".join(_line(merged_fact(*row)) for row in merges)
    yield _line({"end": True, "events": events, "conclusions": derived + len(merges)})


async def _pages(
    pool: Pool, keyring: Keyring, subjects: Sequence[str], *, derived: bool
) -> AsyncIterator[list[Opened]]:
    after: Sequence[object] = (None, None, None)
    while True:
        told = TOPICS.index(INTERACTIONS.name)
        rows = await pool.fetch(_EVENTS, subjects, told, not derived, *after, _PAGE_EVENTS)
        if not rows:
            return
        yield await open_events(keyring, [Stored(*row[:5]) for row in rows])
        after = (rows[-1]["time"], rows[-1]["recordedtime"], rows[-1]["event_key"])


async def _names(keyring: Keyring, opened: Collection[Opened]) -> Names:
    """What every subject that the events mention is called."""
    mentioned = {
        subject
        for one in opened
        for subject in (one.envelope.subject, *one.envelope.linked_subjects)
        if subject is not None
    }
    known = await keyring.identifiers(mentioned)
    return {
        subject: [(one.kind, one.value) for one in identifiers]
        for subject, identifiers in known.items()
    }


def _line(document: Mapping[str, object]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
