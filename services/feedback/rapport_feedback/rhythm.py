"""Rhythms that go on although nobody here decided about the last time, or that had ended."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Final

from rapport_runtime.database import driver
from rapport_runtime.people import read_persons
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_feedback import store
from rapport_feedback.definitions import load_those
from rapport_feedback.domain.asking import Policy, allowed_at
from rapport_feedback.domain.eligible import Candidate, begun_again, next_period, with_period
from rapport_feedback.due import load_people
from rapport_feedback.marking import Marked

_ENDED: Final = ("erased", "retired")
"""Whoever decided so let the rhythm end."""

_NAME: Final = """
UPDATE invitation SET anchor = new.anchor
FROM unnest($1::text[], $2::text[]) AS new (survey, anchor)
WHERE invitation.survey = new.survey AND invitation.anchor = ''
"""

_OVER: Final = """
SELECT first.survey, max(substr(i.anchor, 8)::int)
FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[])
    AS first (survey, definition, version, rule, subject)
JOIN survey_definition d ON d.id = first.definition AND d.version = first.version
JOIN invitation i ON i.subject_id = first.subject::uuid AND i.definition = first.definition
    AND i.rule = first.rule AND i.anchor ~ '^period:[0-9]{1,6}$'
GROUP BY first.survey, d.live_at
HAVING NOT bool_or(i.state = 'waiting') AND max(i.decided_at) < d.live_at
"""


async def go_on(tx: AsyncConnection, marked: Sequence[Marked], policy: Policy) -> None:
    """After a time that was decided elsewhere, or by us before a restore, the next one comes.

    A worker that hears its own decision has the next one already: under the same id.
    """
    known = [one for one, reason in marked if one.rule is not None and reason not in _ENDED]
    if not known:
        return
    _, live = await load_those(tx, sorted({(one.definition, one.version) for one in known}))
    settled, following = [], []
    for one in known:
        version = live.get(one.definition)
        named = None if version is None else with_period(one, version)
        coming = None if version is None or named is None else next_period(named, version)
        if named is not None and coming is not None:
            settled.append(named)
            following.append(coming)
    if not following:
        return
    await _name(tx, settled)
    persons = await read_persons(await driver(tx), {one.subject for one in following})
    people = await load_people(tx, persons, (), datetime.now(UTC))
    await store.add_candidates(
        tx,
        [
            (one, allowed_at(one.due_at, people[persons.of(one.subject).key].respondent, policy))
            for one in following
        ],
    )


async def begin_again(
    tx: AsyncConnection, candidates: Sequence[Candidate], added: Collection[str]
) -> list[Candidate]:
    """Of the candidates that were eligible before, whose rhythm ended before the survey's version.

    A first version is nobody's second chance.
    """
    firsts = {
        one.survey: one
        for one in candidates
        if one.version > 1 and one.begins_rhythm and one.survey not in added
    }
    if not firsts:
        return []
    rows = await (await driver(tx)).fetch(
        _OVER,
        list(firsts),
        [one.definition for one in firsts.values()],
        [one.version for one in firsts.values()],
        [one.rule for one in firsts.values()],
        [one.subject for one in firsts.values()],
    )
    return [begun_again(firsts[survey], last + 1) for survey, last in rows]


async def _name(tx: AsyncConnection, settled: Sequence[Candidate]) -> None:
    """The first time is named, and dated, by the event that began the rhythm."""
    later = [one for one in settled if not one.begins_rhythm]
    surveys, anchors = [one.survey for one in later], [one.anchor for one in later]
    await (await driver(tx)).execute(_NAME, surveys, anchors)
