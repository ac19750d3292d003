"""The last answer of each customer in a window: for a score by customers, not by answers."""

from typing import Final

from rapport_runtime.pool import Snapshot

from rapport_metrics.domain.entities import StampedSurvey, unpack
from rapport_metrics.domain.past import cut
from rapport_metrics.domain.surveys import counted_answer
from rapport_metrics.domain.told import Told

_CHUNK: Final = 2_000

_ANSWERED: Final = """
SELECT id, state FROM entity
WHERE kind = 'survey' AND last_at >= $1 AND first_at < $2 AND id > $3 ORDER BY id LIMIT $4
"""

_PEOPLE: Final = """
SELECT subject_id::text, root::text, erased IS NOT NULL FROM person
WHERE subject_id = ANY($1::text[]::uuid[])
"""

Answers = dict[str, tuple[Told, int]]
"""By subject, or by person: when it was given, and the score."""


async def last_relationship_scores(
    snap: Snapshot, start: int, end: int, before: int | None = None
) -> list[int]:
    """NPS scores, one a person; nobody who was erased, and nobody unknown.

    `before`: what was told from then on is left out, such as the correction of an answer.
    """
    by_subject: Answers = {}
    after = ""
    while rows := await snap.fetch(_ANSWERED, start, end, after, _CHUNK):
        for _, packed in rows:
            state = unpack("survey", packed)
            state = state if before is None else cut(state, before)
            if isinstance(state, StampedSurvey):
                _note(by_subject, state, start, end)
        after = rows[-1][0]
    by_person: Answers = {}
    known = {row[0]: row[1:] for row in await snap.fetch(_PEOPLE, list(by_subject))}
    for subject, answer in by_subject.items():
        root, is_erased = known.get(subject, (subject, False))
        if not is_erased:
            by_person[root] = max(answer, by_person.get(root, answer))
    return [score for _, score in by_person.values()]


def _note(answers: Answers, state: StampedSurvey, start: int, end: int) -> None:
    survey, counted = state.survey, counted_answer(state.survey)
    if survey.subject is None or survey.kind != "nps" or counted is None or counted.score is None:
        return
    if survey.about in {None, "relationship"} and start <= counted.told.at < end:
        answer = (counted.told, counted.score)
        answers[survey.subject] = max(answer, answers.get(survey.subject, answer))
