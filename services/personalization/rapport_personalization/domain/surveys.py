"""What a person answered, as of one instant."""

from msgspec import Struct
from rapport_events import wire

from rapport_personalization.domain.moment import Mark, Moment


class Answer(Struct, array_like=True):
    """The counted answer of a survey: of the greatest revision, and of these the last."""

    kind: str
    score: int
    revision: int
    given: Mark
    ticket: str | None = None
    about: str | None = None


def take(answers: dict[str, Answer], data: wire.SurveyResponded, moment: Moment) -> None:
    """A correction replaces what it corrects."""
    if data.score is None:
        return
    revision = data.revision or 1
    known = answers.get(data.survey)
    if known is None or revision >= known.revision:
        answers[data.survey] = Answer(
            data.kind, data.score, revision, moment.mark, data.ticket, data.about
        )


def last(answers: dict[str, Answer], kind: str) -> Answer | None:
    return max(
        (one for one in answers.values() if one.kind == kind),
        key=lambda one: one.given,
        default=None,
    )
