"""An answer on its way to the log and to the table, under ids that a repeat gets again."""

from collections.abc import Mapping
from datetime import datetime

from rapport_events.envelope import event_key
from rapport_events.feedback import SurveyResponded
from rapport_events.topics import FEEDBACK
from rapport_runtime.outbox import derived_id
from rapport_runtime.subscription import Derived

from rapport_feedback.domain.answer import AnswerRow, NewAnswer
from rapport_feedback.domain.given import Answers
from rapport_feedback.domain.source import SOURCE


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
