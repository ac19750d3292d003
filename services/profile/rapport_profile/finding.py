"""Finding people by name and facet: each statement reads a bounded part of the tables, in order."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from rapport_runtime.pool import Snapshot

from rapport_profile.queries import MOST_TRAIT_EVENTS, Person
from rapport_profile.reader import Stored

EXAMINED: Final = 5_000
"""Index entries that one page may look at: a page that finds less says where to go on."""

_NOBODY: Final = "00000000-0000-0000-0000-000000000000"
_COUNTED: Final = 2_000

_BOUND: Final = """
SET LOCAL statement_timeout = '2s'; SET LOCAL plan_cache_mode = force_custom_plan
"""
"""A plan for just these values: a rare segment and a common one need different ways."""

_FITS: Final = """
    ($1::text IS NULL OR facet.stage = $1) AND ($2::text IS NULL OR facet.segment = $2)
    AND ($3::text[] IS NULL OR (facet.consents @> $3 AND facet.consents <> '{}'))
"""

_AMONG: Final = f"""
SELECT subject_id::text FROM facet WHERE subject_id = ANY($4::text[]::uuid[]) AND {_FITS}
"""  # noqa: S608 - made of constants

_BY_FACET: Final = f"""
SELECT subject_id::text FROM facet WHERE subject_id > $4::text::uuid AND {_FITS}
ORDER BY facet.subject_id LIMIT $5
"""  # noqa: S608 - made of constants

_BY_NAME: Final = f"""
SELECT found.subject_id::text, root.subject_id::text
FROM (
    SELECT subject_id FROM name_prefix WHERE token = $5 AND subject_id > $4::text::uuid
    ORDER BY subject_id LIMIT $8
) AS found
JOIN profile AS named ON named.subject_id = found.subject_id
JOIN profile AS root ON root.subject_id = coalesce(named.merged_into, named.subject_id)
JOIN facet ON facet.subject_id = root.subject_id
WHERE {_FITS} AND (root.members IS NULL OR NOT EXISTS (
    SELECT FROM name_prefix AS earlier WHERE earlier.token = $5
        AND earlier.subject_id = ANY(root.members) AND earlier.subject_id < found.subject_id
)) AND NOT EXISTS (
    SELECT FROM unnest($6::bigint[]) AS other (token) WHERE NOT EXISTS (
        SELECT FROM name_prefix AS fellow WHERE fellow.token = other.token
            AND fellow.subject_id = ANY(coalesce(root.members, ARRAY[root.subject_id]))
    )
)
ORDER BY found.subject_id LIMIT $7
"""  # noqa: S608 - made of constants
"""In order of the subject under which somebody is named; of a person's subjects, the first."""

_END: Final = """
SELECT subject_id::text FROM name_prefix WHERE token = $1 AND subject_id > $2::text::uuid
ORDER BY subject_id OFFSET $3 LIMIT 1
"""

_COUNT: Final = """
SELECT asked.token FROM unnest($1::bigint[]) AS asked (token) ORDER BY (
    SELECT count(*) FROM (
        SELECT FROM name_prefix WHERE name_prefix.token = asked.token LIMIT $2
    ) AS counted
), 1
"""


_TRAITS: Final = """
SELECT asked.person::text, told.event_key, topic, partition, "offset", value
FROM unnest($1::text[]::uuid[], $2::text[]::uuid[]) AS asked (person, subject_id)
CROSS JOIN LATERAL (
    SELECT * FROM timeline WHERE timeline.subject_id = asked.subject_id
        AND type IN ('customer.created.v1', 'customer.identified.v1', 'customer.grouped.v1')
    ORDER BY time DESC, recordedtime DESC, event_key DESC LIMIT $3
) AS told
ORDER BY time DESC, recordedtime DESC, event_key DESC
"""


class Filters(NamedTuple):
    """What a person must be, on top of what they are called; None: anything."""

    stage: str | None = None
    segment: str | None = None
    consents: Sequence[str] | None = None


ANYBODY: Final = Filters()


class Found(NamedTuple):
    """People, in the order of a search."""

    roots: Sequence[str]
    next: str | None
    """Where the next page begins: after this subject. None: there is nobody else."""


async def bound(snap: Snapshot) -> None:
    """For the rest of the transaction: no statement takes more than 2 s."""
    await snap.execute(_BOUND)


async def among(snap: Snapshot, roots: Sequence[str], filters: Filters) -> list[str]:
    """Those of the persons who are so, in order of subject id."""
    return sorted(row[0] for row in await snap.fetch(_AMONG, *filters, roots))


async def by_facet(snap: Snapshot, filters: Filters, after: str, limit: int) -> Found:
    """The persons who are so, in order of subject id."""
    rows = await snap.fetch(_BY_FACET, *filters, after or _NOBODY, limit + 1)
    return page([row[0] for row in rows], limit)


async def by_name(
    snap: Snapshot,
    tokens: Sequence[int],
    filters: Filters,
    after: str,
    limit: int,
    *,
    examined: int = EXAMINED,
) -> Found:
    """The persons for whom all tokens were indexed: their names, now or once, begin so."""
    rarest, *others = await _by_rarity(snap, tokens)
    start = after or _NOBODY
    rows = await snap.fetch(_BY_NAME, *filters, start, rarest, others, limit + 1, examined)
    roots = [root for _, root in rows[:limit]]
    if len(rows) > limit:
        return Found(roots, rows[limit - 1][0])
    return Found(roots, await snap.fetchval(_END, rarest, start, examined - 1))


async def load_traits(snap: Snapshot, people: Iterable[Person]) -> dict[str, list[Stored]]:
    """The newest events that tell who each of them is, by the person's root."""
    pairs = [(person.subject, member) for person in people for member in person.members]
    if not pairs:
        return {}
    told: dict[str, list[Stored]] = defaultdict(list)
    columns = map(list, zip(*pairs, strict=True))
    for root, *event in await snap.fetch(_TRAITS, *columns, MOST_TRAIT_EVENTS):
        if len(told[root]) < MOST_TRAIT_EVENTS:
            told[root].append(Stored(*event))
    return told


def page(roots: Sequence[str], limit: int) -> Found:
    """The first of the persons, and the last of them when there are more."""
    return Found(roots[:limit], roots[limit - 1] if len(roots) > limit else None)


async def _by_rarity(snap: Snapshot, tokens: Sequence[int]) -> Sequence[int]:
    if len(tokens) == 1:
        return tokens
    return [row[0] for row in await snap.fetch(_COUNT, tokens, _COUNTED)]
