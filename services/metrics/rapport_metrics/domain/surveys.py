"""NPS, CSAT, CES and response rates (kpis.md 2.1-2.4)."""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec
from rapport_events import wire

from rapport_metrics.domain.facts import Dims, Fact
from rapport_metrics.domain.instants import DAY
from rapport_metrics.domain.told import By, Told

Kind = Literal["nps", "csat", "ces"]

SCALES: Final = {"nps": range(11), "csat": range(1, 6), "ces": range(1, 8)}
"""Scores that a question of each kind can have."""

RESOLVED_QUESTION: Final = "resolved"
_YES_OR_NO: Final = {"yes": True, "no": False}
_ONE_OR_NONE: Final = {1: True, 0: False}

RESPONSE_WINDOW: Final = 14 * DAY
_PROMOTER: Final = 9
_DETRACTOR: Final = 6
_SATISFIED: Final = 4
_EASY: Final = 5
_EFFORT: Final = range(1, 6)
_LITTLE_EFFORT: Final = 4


class SurveySettings(msgspec.Struct, frozen=True):
    """How scores are to be read."""

    ces_is_effort: bool = False
    """The older question: how much effort it was, 1 to 5, where less is better."""


DEFAULTS: Final = SurveySettings()


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """One revision of an answer."""

    revision: int
    told: Told
    score: int | None
    solved: bool | None = None
    """What they say to "was it resolved?"; None: they were not asked, or did not say."""


class Survey(msgspec.Struct, array_like=True):
    """One invitation to one person, and the answers to it. Until it was sent it counts nowhere."""

    sent: Told | None = None
    subject: str | None = None
    kind: str | None = None
    channel: str | None = None
    about: str | None = None
    agent: str | None = None
    team: str | None = None
    answers: list[Answer] = []


SurveyEvent = wire.SurveySent | wire.SurveyResponded


def send(survey: Survey, data: wire.SurveySent, by: By) -> None:
    """The first that was sent under an id is the survey."""
    if survey.sent is None or by.told < survey.sent:
        survey.sent, survey.subject, survey.kind = by.told, by.subject, data.kind
        survey.channel = data.channel or by.channel
        survey.about, survey.agent, survey.team = data.about, data.agent, data.team


def respond(survey: Survey, data: wire.SurveyResponded, by: By) -> None:
    answer = Answer(data.revision or 1, by.told, data.score, _solved(data))
    survey.answers.append(answer)


def _solved(data: wire.SurveyResponded) -> bool | None:
    """The answer to the question `resolved`: a choice of yes or no, or a score of 1 or 0."""
    chosen = (data.choices or {}).get(RESOLVED_QUESTION, [])
    if len(chosen) == 1:
        return _YES_OR_NO.get(chosen[0].casefold())
    return _ONE_OR_NONE.get((data.scores or {}).get(RESOLVED_QUESTION, -1))


def counted_answer(survey: Survey) -> Answer | None:
    """The one that counts, when it was sent: a later revision replaces an earlier one."""
    if survey.sent is None or survey.kind is None:
        return None
    # An answer to another kind of question than was asked has another scale.
    fitting = [answer for answer in survey.answers if is_on_scale(survey.kind, answer.score)]
    return max(fitting, key=lambda one: (one.revision, one.told), default=None)


def promotion(score: int) -> int:
    """1 of a promoter, -1 of a detractor, else 0."""
    return int(score >= _PROMOTER) - int(score <= _DETRACTOR)


def is_on_scale(kind: str, score: int | None) -> bool:
    """Whether an answer of this kind can have this score; custom ones have their own scales."""
    return score is None or kind not in SCALES or score in SCALES[kind]


def facts(
    survey: Survey, segment: str | None, settings: SurveySettings = DEFAULTS
) -> Iterator[Fact]:
    """What a survey counts for. `segment`: of the customer it was sent to."""
    if survey.sent is None:
        return
    dims = Dims(
        channel=survey.channel,
        team=survey.team,
        agent=survey.agent,
        about=survey.about,
        segment=segment,
    )
    yield from _solved_facts(survey, dims)
    if survey.kind not in SCALES:
        return
    sent = survey.sent
    answered = any(
        sent.at <= answer.told.at <= sent.at + RESPONSE_WINDOW for answer in survey.answers
    )
    yield Fact(f"response_rate_{survey.kind}", sent.at, dims, int(answered), 1, sent.key)
    # An answer to another kind of question than was asked has another scale.
    counted = counted_answer(survey)
    if counted is not None and counted.score is not None:
        if survey.kind == "ces":
            yield from _effort_facts(counted.score, counted.told, dims, settings)
        else:
            yield from _score_facts(survey.kind, counted.score, counted.told, dims)


def _solved_facts(survey: Survey, dims: Dims) -> Iterator[Fact]:
    """Whatever else a survey asks; the last revision that answers this question counts."""
    said = [answer for answer in survey.answers if answer.solved is not None]
    if said:
        counted = max(said, key=lambda one: (one.revision, one.told))
        said_at = counted.told
        yield Fact("fcr_survey", said_at.at, dims, int(counted.solved is True), 1, said_at.key)


def _score_facts(kind: str, score: int, told: Told, dims: Dims) -> Iterator[Fact]:
    at, key = told.at, told.key
    match kind:
        case "nps":
            # A relationship is asked about now and then, a contact right after it: two numbers.
            name = "nps" if dims.about in {None, "relationship"} else "nps_transactional"
            promoter, detractor = score >= _PROMOTER, score <= _DETRACTOR
            yield Fact(name, at, dims, promoter - detractor, 1, key, score)
            yield Fact(f"{name}_promoters", at, dims, int(promoter), 1, key)
            yield Fact(f"{name}_detractors", at, dims, int(detractor), 1, key)
        case "csat":
            satisfied = int(score >= _SATISFIED)
            yield Fact("csat", at, dims, satisfied, 1, key, score)
            yield Fact("csat_mean", at, dims, score, 1, key)
            if dims.about in {"product", "service"}:
                yield Fact(f"csat_{dims.about}", at, dims, satisfied, 1, key)


def _effort_facts(score: int, told: Told, dims: Dims, settings: SurveySettings) -> Iterator[Fact]:
    """Of effort, the scale is turned round, and its two best answers are easy."""
    easy = _EASY
    if settings.ces_is_effort:
        if score not in _EFFORT:
            return
        score, easy = _EFFORT.stop - score, _LITTLE_EFFORT
    yield Fact("ces", told.at, dims, int(score >= easy), 1, told.key, score)
    yield Fact("ces_mean", told.at, dims, score, 1, told.key)
