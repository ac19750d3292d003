"""What is said of answers, by rules and by people, and whose word counts."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import orjson
from rapport_events.envelope import event_key
from rapport_events.feedback import FeedbackClassified
from rapport_events.topics import FEEDBACK
from rapport_runtime.database import Tx, driver
from rapport_runtime.outbox import derived_id
from rapport_runtime.subscription import Derived

from rapport_feedback.domain.comments import Classification
from rapport_feedback.domain.source import SOURCE

By = Literal["rule", "person"]

_LOCK: Final = """
SELECT FROM answer WHERE survey = ANY($1::text[]) ORDER BY survey, revision FOR UPDATE
"""

_ADD: Final = """
INSERT INTO classification
    (event_key, survey, classified_at, by, about, topics, sentiment, agent, definition, is_current)
SELECT key, survey, at, by, about, ARRAY(SELECT jsonb_array_elements_text(topics::jsonb)),
    sentiment, agent, definition,
    NOT EXISTS (SELECT FROM classification known WHERE known.survey = said.survey)
FROM unnest($1::bytea[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[],
    $7::int[], $8::text[], $9::text[])
    AS said(key, survey, at, by, about, topics, sentiment, agent, definition)
ON CONFLICT (event_key) DO NOTHING
RETURNING event_key, is_current
"""

_SETTLE: Final = """
UPDATE classification SET is_current = classification.event_key = best.event_key
FROM (
    SELECT DISTINCT ON (survey) survey, event_key FROM classification
    WHERE survey = ANY($1::text[])
    ORDER BY survey, (by = 'person') DESC, classified_at DESC, event_key DESC
) AS best
WHERE classification.survey = best.survey
    AND classification.is_current <> (classification.event_key = best.event_key)
"""
"""A person's word wins over any rule, whenever it came; of two alike the newer one."""


class Said(NamedTuple):
    """One word on an answer."""

    event_key: bytes
    survey: str
    at: datetime
    by: By
    classification: Classification
    agent: str | None = None
    definition: str | None = None


class Cause(NamedTuple):
    """The answer that is spoken of."""

    survey: str
    event_key: bytes
    event_id: str
    subject: str | None


async def lock_answers(tx: Tx, surveys: Collection[str]) -> None:
    """Nobody else says or decides anything about these answers until the transaction ends."""
    await (await driver(tx)).execute(_LOCK, sorted(surveys))


async def keep(tx: Tx, said: Sequence[Said]) -> frozenset[bytes]:
    """Under the lock on their answers; the keys of those that were not known already."""
    if not said:
        return frozenset()
    connection = await driver(tx)
    added = await connection.fetch(
        _ADD,
        [one.event_key for one in said],
        [one.survey for one in said],
        [one.at for one in said],
        [one.by for one in said],
        [one.classification.about for one in said],
        [orjson.dumps(one.classification.topics).decode() for one in said],
        [one.classification.sentiment for one in said],
        [one.agent for one in said],
        [one.definition for one in said],
    )
    surveys = {one.survey for one in said}
    if len(surveys) < len(said) or not all(row["is_current"] for row in added):
        await connection.execute(_SETTLE, sorted(surveys))
    return frozenset(row["event_key"] for row in added)


async def publish(tx: Tx, words: Sequence[tuple[Said, Derived]]) -> list[Derived]:
    """Keeps them, and gives back the facts of those that are new: for the outbox."""
    new = await keep(tx, [said for said, _ in words])
    return [derived for said, derived in words if said.event_key in new]


def say(
    cause: Cause,
    rule: str,
    at: datetime,
    by: By,
    classification: Classification,
    *,
    agent: str | None = None,
    definition: str | None = None,
) -> tuple[Said, Derived]:
    """A word on an answer, as a row and as a fact."""
    event_id = str(derived_id(cause.event_key, rule))
    key = event_key(SOURCE, event_id)
    data: dict[str, Any] = {
        "survey": cause.survey,
        "about": classification.about,
        "topics": list(classification.topics),
        "sentiment": classification.sentiment,
        "by": by,
        "agent": agent,
        "definition": definition,
    }
    derived = Derived(
        cause=cause.event_key,
        rule=rule,
        topic=FEEDBACK.name,
        source=SOURCE,
        type=FeedbackClassified.type,
        time=at,
        data=data,
        subject=cause.subject,
        attributes={"causationid": cause.event_id},
    )
    return Said(key, cause.survey, at, by, classification, agent, definition), derived
