"""Deletes what is kept of erased subjects, and leaves a tombstone each, so that nothing returns."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from typing import Final

import orjson

from rapport_profile.domain.claims import Erasure
from rapport_profile.edges import Fetches

_FORGET: Final = """
WITH erased AS (SELECT unnest($1::text[]::uuid[]) AS subject_id),
told AS (
    DELETE FROM timeline USING erased WHERE timeline.subject_id = erased.subject_id
    RETURNING timeline.subject_id, event_key
), queued AS (
    DELETE FROM name_queue USING told WHERE name_queue.event_key = told.event_key
    RETURNING told.subject_id
), referred AS (
    DELETE FROM reference USING erased WHERE reference.subject_id = erased.subject_id
    RETURNING reference.subject_id
), filtered AS (
    DELETE FROM facet USING erased WHERE facet.subject_id = erased.subject_id
    RETURNING facet.subject_id
), named AS (
    DELETE FROM name_prefix USING erased WHERE name_prefix.subject_id = erased.subject_id
    RETURNING name_prefix.subject_id
), known AS (
    SELECT subject_id FROM profile JOIN erased USING (subject_id)
    WHERE state IS NOT NULL OR merged_into IS NOT NULL
)
SELECT subject_id::text, part, count(*) FROM (
    SELECT subject_id, 'timeline' AS part FROM told
    UNION ALL SELECT subject_id, 'name_queue' FROM queued
    UNION ALL SELECT subject_id, 'reference' FROM referred
    UNION ALL SELECT subject_id, 'facet' FROM filtered
    UNION ALL SELECT subject_id, 'name_prefix' FROM named
    UNION ALL SELECT subject_id, 'profile' FROM known
) AS deleted GROUP BY subject_id, part
"""

_DISCONNECT: Final = """
DELETE FROM identity_edge
WHERE (a = ANY($1::text[]::uuid[]) OR b = ANY($1::text[]::uuid[]))
    AND (cut_at IS NULL OR explicit AND merge_key <> event_key)
RETURNING a::text, b::text
"""

_KEEP_CUTS: Final = """
UPDATE identity_edge
SET a = NULL, b = NULL, kind_a = NULL, kind_b = NULL, time = NULL, recordedtime = NULL,
    event_key = NULL, known_at = NULL, explicit = false, refused = NULL, announced = NULL
FROM identity_edge AS was
WHERE identity_edge.merge_key = was.merge_key
    AND (was.a = ANY($1::text[]::uuid[]) OR was.b = ANY($1::text[]::uuid[]))
RETURNING was.a::text, was.b::text
"""
"""That a merge was taken back names nobody, and must be known if the merge is told again."""

_BURY: Final = """
INSERT INTO profile (subject_id, erased_at)
SELECT subject_id::uuid, at FROM unnest($1::text[], $2::timestamptz[]) AS new (subject_id, at)
ON CONFLICT (subject_id) DO UPDATE
SET merged_into = NULL, members = NULL, state = NULL,
    erased_at = LEAST(profile.erased_at, EXCLUDED.erased_at)
"""

_CERTIFY: Final = """
INSERT INTO purge (subject_id, certificate_id, at, counts)
SELECT subject_id::uuid, certificate_id, at, counts::json
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[])
    AS new (subject_id, certificate_id, at, counts)
ON CONFLICT DO NOTHING
"""

_CLAIM: Final = """
INSERT INTO profile (subject_id) SELECT unnest($1::text[]::uuid[]) ON CONFLICT DO NOTHING
"""


async def claim(connection: Fetches, subjects: Collection[str]) -> None:
    """Makes rows to lock for subjects that have none; waits for whoever is just making one."""
    await connection.fetch(_CLAIM, sorted(subjects))


async def purge(connection: Fetches, erased: Mapping[str, Erasure]) -> None:
    """Deletes everything of these subjects, whose rows are locked; a second time changes nothing.

    What is left of the persons they belonged to has to be found out again by the caller.
    """
    if not erased:
        return
    subjects = sorted(erased)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for subject, part, count in await connection.fetch(_FORGET, subjects):
        counts[subject][part] = count
    for statement in (_DISCONNECT, _KEEP_CUTS):
        for ends in await connection.fetch(statement, subjects):
            for subject in erased.keys() & set(ends):
                counts[subject]["identity_edge"] += 1
    await connection.fetch(_BURY, subjects, [erased[subject].at for subject in subjects])
    await connection.fetch(
        _CERTIFY,
        subjects,
        [erased[subject].certificate_id for subject in subjects],
        [erased[subject].at for subject in subjects],
        [orjson.dumps(counts[subject]).decode() for subject in subjects],
    )
