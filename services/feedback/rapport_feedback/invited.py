"""Lists who was eligible for a survey, and counts what became of them."""

from typing import Final

import orjson
from rapport_runtime.pool import Reads

from rapport_feedback.schemas.surveys import Counts, InvitationsQuery, InvitationView

_PAGE: Final = """
SELECT survey, version, rule, anchor, subject_id::text AS customer, state, reason, channel,
    language, refs::text AS refs, happened_at, due_at, send_at, decided_at, expires_at
FROM invitation
WHERE definition = $1 AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR reason = $3)
    AND ($4::timestamptz IS NULL OR (due_at, survey) < ($4, $5))
ORDER BY due_at DESC, survey DESC LIMIT $6
"""

_COUNT: Final = """
SELECT state, reason, count(*) FROM invitation WHERE definition = $1 GROUP BY state, reason
"""

Place = tuple[object, str]


async def load_page(
    reads: Reads, definition: str, query: InvitationsQuery, after: Place | None
) -> list[InvitationView]:
    """One more than the page holds, if there are more."""
    at, survey = after or (None, None)
    rows = await reads.fetch(
        _PAGE, definition, query.state, query.reason, at, survey, query.limit + 1
    )
    return [
        InvitationView.model_construct(**{**dict(row), "refs": orjson.loads(row["refs"])})
        for row in rows
    ]


async def count_all(reads: Reads, definition: str) -> Counts:
    states = {"waiting": 0, "sent": 0}
    reasons: dict[str, int] = {}
    for state, reason, count in await reads.fetch(_COUNT, definition):
        if state in states:
            states[state] += count
        else:
            reasons[reason] = reasons.get(reason, 0) + count
    return Counts(
        eligible=sum(states.values()) + sum(reasons.values()),
        waiting=states["waiting"],
        sent=states["sent"],
        not_invited=dict(sorted(reasons.items())),
    )
