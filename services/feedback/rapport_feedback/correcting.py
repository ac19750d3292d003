"""Corrects an answer: the next revision of the same survey, which counts from then on."""

from typing import Any, Final

from rapport_events.envelope import Channel
from rapport_events.feedback import SurveyResponded
from rapport_events.problem import check as check_event
from rapport_privacy.crypto import DataKey, Erased
from rapport_runtime.http.problems import FieldError

from rapport_feedback.answer_rows import StoredAnswer, load_revisions
from rapport_feedback.answering import AlreadyAnswered, PersonErased, key_of, record
from rapport_feedback.definitions import SurveyNotFoundError, load_version
from rapport_feedback.desk import Desk
from rapport_feedback.domain.answer import NewAnswer, Survey
from rapport_feedback.domain.correction import corrected
from rapport_feedback.domain.definition import Definition
from rapport_feedback.domain.given import Answers
from rapport_feedback.follow_up import split_definition
from rapport_feedback.opening import answers_in, answers_with
from rapport_feedback.refusals import (
    AnswerRefusedError,
    AnswerUnreadableError,
    CorrectedMeanwhileError,
    CustomerErasedError,
    ResponseNotFoundError,
)
from rapport_feedback.responded import fact_of
from rapport_feedback.responding import answered_when, checked
from rapport_feedback.schemas.responses import Correction

_ATTEMPTS: Final = 3


async def correct(desk: Desk, survey: str, correction: Correction) -> bool:
    """Whether anything is different now.

    Raises what `refusals` lists, and KeyringUnavailableError.
    """
    for _ in range(_ATTEMPTS):
        revisions = await load_revisions(desk.pool, survey)
        if not revisions:
            raise ResponseNotFoundError
        current = revisions[-1]
        known = await _known(desk, current, correction.said())
        answers = await _check(desk, current, corrected(known, correction.said()))
        if answers == known:
            return False
        new = _new(current, answers, correction)
        async with desk.engine.begin() as tx:
            outcome = await record(
                tx, await _key(desk, current), new, desk.settings, current.row.revision + 1
            )
        if isinstance(outcome, PersonErased):
            raise CustomerErasedError
        if not isinstance(outcome, AlreadyAnswered):
            return True
    raise CorrectedMeanwhileError


async def _known(desk: Desk, current: StoredAnswer, said: dict[str, Any]) -> Answers:
    """What was answered so far; what cannot be read must have been said anew."""
    known = await answers_in(desk.keyring, current)
    if isinstance(known, Answers):
        return known
    if isinstance(known, Erased):
        raise CustomerErasedError
    if not said.keys() >= {"comment", "texts"}:
        raise AnswerUnreadableError
    return answers_with(current, {})


async def _check(desk: Desk, current: StoredAnswer, answers: Answers) -> Answers:
    definition = await _definition(desk, current.row.definition)
    if definition is not None:
        return checked(definition, answers)
    # A survey of a publisher: all that is known of it is what every event must be.
    fact = fact_of(_new(current, answers, None), current.row.revision + 1)
    told = {name: value for name, value in fact.data.items() if value is not None}
    problems = check_event(SurveyResponded.type, told)
    if problems:
        raise AnswerRefusedError(
            [
                FieldError(one.pointer.removeprefix("/data"), one.detail, one.code)
                for one in problems
            ]
        )
    return answers


async def _definition(desk: Desk, named: str | None) -> Definition | None:
    name, version = split_definition(named)
    if name is None or version is None:
        return None
    try:
        return (await load_version(desk.pool, name, version)).definition
    except SurveyNotFoundError:
        return None


def _new(current: StoredAnswer, answers: Answers, correction: Correction | None) -> NewAnswer:
    row = current.row
    via: Channel | None = None if correction is None else correction.channel
    return NewAnswer(
        survey=Survey(
            id=row.survey,
            kind=row.kind,
            definition=row.definition,
            about=row.about,
            subject=row.subject_id,
            channel=row.channel,
            ticket=row.ticket,
            order=row.order,
            agent=row.agent,
            team=row.team,
        ),
        answers=answers,
        answered_at=answered_when(None if correction is None else correction.answered_at),
        via=via,
        language=current.language,
    )


async def _key(desk: Desk, current: StoredAnswer) -> DataKey | Erased:
    """Of who answered; when nobody knows, that of the month."""
    if current.row.subject_id is not None:
        return await key_of(desk.keyring, current.row.subject_id)
    (nobody,) = await desk.keyring.resolve([{}])
    key = getattr(nobody, "key", None)
    return key if isinstance(key, DataKey) else Erased()
