"""Comments read again, because the rules have changed. A person's word stays."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

import orjson
from asyncpg import Record
from rapport_events.feedback import SurveyResponded
from rapport_privacy.crypto import Erased
from rapport_runtime import outbox
from rapport_runtime.database import driver
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback.classify import Cause, lock_answers, publish, say
from rapport_feedback.desk import Desk
from rapport_feedback.domain.comments import Classification
from rapport_feedback.follow_up import understand
from rapport_feedback.rulebook import Rulebook, load_rulebook
from rapport_feedback.sealing import Personal, Sealed, open_all

_BATCH: Final = 500

_PAGE: Final = """
SELECT a.survey, a.event_key, a.event_id, a.subject_id::text AS subject, a.about,
    a.sealed::text AS sealed, a.answered_at, coalesce(a.language, i.language) AS language
FROM answer a
LEFT JOIN invitation i ON i.survey = a.survey
LEFT JOIN classification c ON c.survey = a.survey AND c.is_current
WHERE a.is_current AND a.sealed IS NOT NULL AND c.by IS DISTINCT FROM 'person'
    AND (a.answered_at, a.survey) > ($1, $2)
ORDER BY a.answered_at, a.survey LIMIT $3
"""

_STANDS: Final = """
SELECT a.survey, c.about, c.topics, c.sentiment FROM answer a
LEFT JOIN classification c ON c.survey = a.survey AND c.is_current
WHERE a.is_current AND a.event_key = ANY($1::bytea[]) AND c.by IS DISTINCT FROM 'person'
"""
"""After the lock: whoever corrected, or spoke as a person, meanwhile is left alone."""

Place = tuple[datetime, str]


class Reread(NamedTuple):
    """How far it went. `after`: where to go on; None at the end."""

    version: int
    looked_at: int
    changed: int
    erased: int
    after: Place | None


async def reclassify(desk: Desk, after: Place, most: int) -> Reread:
    """Reads up to `most` comments of answers after a place, a transaction for each batch.

    Raises KeyringUnavailableError; what was done by then stays done.
    """
    rulebook = await load_rulebook(desk.pool)
    looked_at, changed, erased = 0, 0, 0
    place: Place | None = after
    while place is not None and looked_at < most:
        size = min(_BATCH, most - looked_at)
        rows = await desk.pool.fetch(_PAGE, *place, size)
        personal = await _opened(desk, rows)
        looked_at += len(rows)
        erased += sum(isinstance(one, Erased) for one in personal.values())
        changed += await _apply(desk, rulebook, rows, personal)
        place = (rows[-1]["answered_at"], rows[-1]["survey"]) if len(rows) == size else None
    return Reread(rulebook.version, looked_at, changed, erased, place)


async def _opened(desk: Desk, rows: Sequence[Record]) -> dict[str, Personal]:
    sealed = [
        Sealed(orjson.loads(row["sealed"]), row["subject"], row["event_id"], SurveyResponded.type)
        for row in rows
    ]
    opened = await open_all(desk.keyring, sealed)
    return dict(zip((row["survey"] for row in rows), opened, strict=True))


async def _apply(
    desk: Desk, rulebook: Rulebook, rows: Sequence[Record], personal: Mapping[str, Personal]
) -> int:
    meant = {
        row["survey"]: understand(rulebook, comment, row["language"], row["about"])
        for row in rows
        if (comment := _comment(personal[row["survey"]])) is not None
    }
    if not meant:
        return 0
    async with desk.engine.begin() as tx:
        await lock_answers(tx, meant)
        standing = await _standing(tx, [row["event_key"] for row in rows])
        now, definition = datetime.now(UTC), rulebook.definition
        words = [
            say(
                Cause(row["survey"], row["event_key"], row["event_id"], row["subject"]),
                f"classify {definition}", now, "rule", meant[row["survey"]],
                definition=definition,
            )
            for row in rows
            if row["survey"] in meant
            and standing.get(row["survey"], meant[row["survey"]]) != meant[row["survey"]]
        ]  # fmt: skip
        derived = await publish(tx, words)
        await outbox.add(tx, derived)
    return len(derived)


async def _standing(tx: AsyncConnection, keys: Sequence[bytes]) -> dict[str, Classification]:
    rows = await (await driver(tx)).fetch(_STANDS, keys)
    return {
        row["survey"]: Classification(
            about=row["about"], topics=tuple(row["topics"] or ()), sentiment=row["sentiment"]
        )
        for row in rows
    }


def _comment(personal: Personal) -> str | None:
    comment = personal.get("comment") if isinstance(personal, Mapping) else None
    return comment if isinstance(comment, str) else None
