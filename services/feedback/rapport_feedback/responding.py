"""Answers that come by other channels than the page: whose they are, and to what."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from rapport_privacy.identifiers import InvalidIdentifierError, is_placeholder, normalise
from rapport_privacy.keyring import Suppressed
from rapport_runtime.http.problems import FieldError

from rapport_feedback.answer_rows import StoredAnswer, load_revisions
from rapport_feedback.answering import AlreadyAnswered, Given, PersonErased, Recorded, key_of
from rapport_feedback.asked import load_asked
from rapport_feedback.bounds import EARLIEST
from rapport_feedback.definitions import DRAFT, LIVE, Stored, SurveyNotFoundError, load_versions
from rapport_feedback.desk import Desk
from rapport_feedback.domain.answer import NewAnswer, Survey
from rapport_feedback.domain.correction import check_answers
from rapport_feedback.domain.definition import Definition
from rapport_feedback.domain.eligible import survey_id
from rapport_feedback.domain.followup import terms_of
from rapport_feedback.domain.given import Answers
from rapport_feedback.follow_up import split_definition
from rapport_feedback.opening import answers_in
from rapport_feedback.refusals import (
    AlreadyAnsweredError,
    AnswerKeyMissingError,
    AnswerRefusedError,
    CustomerErasedError,
    InvitationNotFoundError,
    NotAnIdentifierError,
    SurveyEndedError,
    SurveyIsDraftError,
)
from rapport_feedback.schemas.responses import NewResponse, answers_of

_CLOCK_SKEW: Final = timedelta(minutes=1)


async def take(desk: Desk, given: NewResponse, idempotency_key: str | None) -> tuple[str, bool]:
    """The survey's id, and whether the answer is new: the same one again changes nothing.

    Raises what `refusals` lists, and KeyringUnavailableError.
    """
    answered_at = answered_when(given.answered_at)
    if given.survey is not None:
        answering = await _invited(desk, given, given.survey, answered_at)
    else:
        answering = await _uninvited(desk, given, idempotency_key, answered_at)
    new = answering.new
    match await desk.recording.record(answering):
        case Recorded():
            return new.survey.id, True
        case PersonErased():
            raise CustomerErasedError
        case AlreadyAnswered():
            first, *_ = await load_revisions(desk.pool, new.survey.id)
            if await _says_the_same(desk, first, new.answers):
                return new.survey.id, False
            raise AlreadyAnsweredError(new.survey.id)


def answered_when(said: datetime | None) -> datetime:
    """Raises AnswerRefusedError."""
    now = datetime.now(UTC)
    if said is not None and said < EARLIEST:
        flaw = "lies before 1970, when nobody was asked"
        raise AnswerRefusedError([FieldError("/answered_at", flaw, "out_of_range")])
    if said is not None and said > now + _CLOCK_SKEW:
        raise AnswerRefusedError([FieldError("/answered_at", "lies in the future", "out_of_range")])
    return now if said is None else min(said, now)


def checked(definition: Definition, answers: Answers) -> Answers:
    """Raises AnswerRefusedError."""
    found = check_answers(definition, answers)
    if isinstance(found, Answers):
        return found
    raise AnswerRefusedError.of(found, definition, answers)


async def _invited(desk: Desk, given: NewResponse, survey: str, answered_at: datetime) -> Given:
    asked = (await load_asked(desk.pool, [survey])).get(survey)
    if asked is None or asked.survey.subject is None:
        raise InvitationNotFoundError
    if asked.standing(answered_at) == "expired":
        raise SurveyEndedError
    new = NewAnswer(
        survey=asked.survey,
        answers=checked(asked.definition, answers_of(given.said())),
        answered_at=answered_at,
        via=given.channel,
        language=given.language or asked.language,
    )
    return Given(await key_of(desk.keyring, asked.survey.subject), new, terms_of(asked.definition))


async def _uninvited(
    desk: Desk, given: NewResponse, idempotency_key: str | None, answered_at: datetime
) -> Given:
    if idempotency_key is None:
        raise AnswerKeyMissingError
    stored = await _load_definition(desk, given.definition or "")
    definition = stored.definition
    answers = checked(definition, answers_of(given.said()))
    person = (await desk.keyring.resolve([_identifiers(given.customer or {})]))[0]
    if isinstance(person, Suppressed):
        raise CustomerErasedError
    subject, anchor = person.subject, f"answer:{idempotency_key}"
    survey = Survey(
        id=survey_id(definition.id, None, subject or "", anchor),
        kind=definition.kind,
        definition=f"{stored.id}@{stored.version}",
        about=definition.about,
        subject=subject,
        channel=given.channel,
        ticket=given.ticket,
        order=given.order,
        agent=given.agent,
        team=given.team,
    )
    new = NewAnswer(
        survey=survey,
        answers=answers,
        answered_at=answered_at,
        via=given.channel,
        language=given.language,
        linked=person.linked,
        kinds=person.kinds,
    )
    return Given(person.key, new, terms_of(definition))


async def _load_definition(desk: Desk, named: str) -> Stored:
    """The version that is named, or the one that is live. Raises SurveyNotFoundError."""
    name, version = split_definition(named)
    stored = await load_versions(desk.pool, name or "")
    if version is None:
        found = next((one for one in stored if one.state == LIVE), None)
    else:
        found = next((one for one in stored if one.version == version), None)
    if found is None and version is not None:
        raise SurveyNotFoundError
    if found is None or found.state == DRAFT:
        raise SurveyIsDraftError
    return found


def _identifiers(given: Mapping[str, str | int]) -> dict[str, str]:
    """Raises NotAnIdentifierError."""
    named = {}
    for kind, value in given.items():
        try:
            normal = normalise(kind, value)
        except InvalidIdentifierError as error:
            raise NotAnIdentifierError(kind[:32], str(error)) from None
        if is_placeholder(kind, normal):
            raise NotAnIdentifierError(kind, "is a placeholder that names nobody")
        named[kind] = normal
    return named


async def _says_the_same(desk: Desk, known: StoredAnswer, answers: Answers) -> bool:
    """A repeat of what was taken. Raises KeyringUnavailableError."""
    return await answers_in(desk.keyring, known) == answers
