"""An answer: as it is stored, and as the log is told of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rapport_events.envelope import Channel, event_key
from rapport_events.feedback import SurveyResponded
from rapport_events.topics import FEEDBACK
from rapport_runtime.outbox import derived_id
from rapport_runtime.subscription import Derived

from rapport_feedback.domain.given import Answers
from rapport_feedback.domain.source import SOURCE


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """One revision of an answer as the table keeps it, without what is sealed.

    `definition` is `id@version`; null for answers to surveys that are not ours.
    """

    survey: str
    revision: int
    event_key: bytes
    event_id: str
    definition: str | None
    kind: str
    about: str | None
    subject_id: str | None
    answered_at: datetime
    recorded_at: datetime
    is_current: bool
    score: int | None
    scores: Mapping[str, int]
    choices: Mapping[str, Sequence[str]]
    has_comment: bool
    channel: str | None
    ticket: str | None
    order: str | None
    agent: str | None
    team: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is answered: one asking of one person, and what it was about."""

    id: str
    kind: str
    definition: str | None = None
    about: str | None = None
    subject: str | None = None
    """None: nobody knows who answered."""
    channel: str | None = None
    """By which they were asked."""
    ticket: str | None = None
    order: str | None = None
    agent: str | None = None
    team: str | None = None

    @property
    def cause(self) -> bytes:
        """What the ids of its answers are made of: a repeat says the same thing again."""
        return event_key(SOURCE, f"survey {self.id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAnswer:
    """An answer to be recorded."""

    survey: Survey
    answers: Answers
    answered_at: datetime
    via: Channel | None = None
    """Where it was given, which may be elsewhere than where they were asked."""
    language: str | None = None
    linked: tuple[str, ...] = ()
    """Subjects of further names that came with it."""
    kinds: tuple[str, ...] = ()
    """Of the names behind the subject and each of `linked`."""


def fact_of(new: NewAnswer, revision: int) -> Derived:
    """The event, without what has to be sealed."""
    survey, answers = new.survey, new.answers
    return Derived(
        cause=survey.cause,
        rule=f"responded {revision}",
        topic=FEEDBACK.name,
        source=SOURCE,
        type=SurveyResponded.type,
        time=new.answered_at,
        subject=survey.subject,
        data={
            "survey": survey.id,
            "definition": survey.definition,
            "kind": survey.kind,
            "about": survey.about,
            "ticket": survey.ticket,
            "order": survey.order,
            "agent": survey.agent,
            "team": survey.team,
            "channel": survey.channel,
            "revision": revision,
            "score": answers.score,
            "scores": dict(answers.scores) or None,
            "choices": {name: list(chosen) for name, chosen in answers.choices.items()} or None,
        },
        attributes={
            "partitionkey": survey.subject,
            "correlationid": survey.id,
            "channel": new.via,
            "initiatedby": "customer",
            "linked": ",".join(new.linked) or None,
            "identifiedby": ",".join(new.kinds) or None,
        },
    )


def personal_of(answers: Answers) -> Mapping[str, object]:
    """What of it only its author's key may open."""
    return {"comment": answers.comment, "texts": dict(answers.texts)}


def row_of(new: NewAnswer, revision: int, recorded_at: datetime) -> AnswerRow:
    """As it is stored; the newest there is."""
    survey, answers = new.survey, new.answers
    event_id = str(derived_id(survey.cause, f"responded {revision}"))
    return AnswerRow(
        survey=survey.id,
        revision=revision,
        event_key=event_key(SOURCE, event_id),
        event_id=event_id,
        definition=survey.definition,
        kind=survey.kind,
        about=survey.about,
        subject_id=survey.subject,
        answered_at=new.answered_at,
        recorded_at=recorded_at,
        is_current=True,
        score=answers.score,
        scores=answers.scores,
        choices=answers.choices,
        has_comment=answers.comment is not None,
        channel=survey.channel,
        ticket=survey.ticket,
        order=survey.order,
        agent=survey.agent,
        team=survey.team,
    )
