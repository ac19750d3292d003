"""What may be a survey, and what is said about what may not."""

from typing import Any

import pytest
from pydantic import ValidationError
from rapport_events.languages import nearest
from rapport_feedback.domain.definition import Definition
from rapport_feedback.domain.rules import EventRule, PeriodRule
from rapport_feedback.domain.texts import say

SCORE = {"id": "score", "type": "score", "text": {"en": "How did we do?"}}


def survey(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {
        "id": "after_case",
        "kind": "csat",
        "title": {"en": "Your case", "de": "Ihr Fall"},
        "questions": [SCORE],
        **changes,
    }


def test_the_first_score_is_on_the_scale_of_its_kind() -> None:
    read = Definition.model_validate(survey(kind="ces"))

    assert [question.bounds for question in read.scores] == [(1, 7)]


POEM = {"type": "text", "text": {"en": "A poem?"}, "max": 16_000}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"questions": []}, "questions"),
        (
            {"questions": [SCORE, *({**POEM, "id": f"poem{n}"} for n in range(7))]},
            "texts may be 100,000 characters together, and these 112,000",
        ),
        ({"questions": [{"id": "why", "type": "text", "text": {"en": "Why?"}}]}, "score question"),
        ({"questions": [SCORE, SCORE]}, "score is there more than once"),
        ({"questions": [{**SCORE, "scale": [0, 10]}]}, "the scale of csat is 1 to 5"),
        ({"questions": [{**SCORE, "scale": [5, 1]}]}, "must rise"),
        ({"questions": [SCORE, {**SCORE, "id": "more"}]}, "more needs a scale"),
        ({"kind": "custom"}, "score needs a scale"),
        ({"questions": [{**SCORE, "text": {}}]}, "at least 1"),
        ({"questions": [{**SCORE, "text": {"English!": "How?"}}]}, "pattern"),
        ({"id": "After Case"}, "pattern"),
        ({"channels": ["pigeon"]}, "channels"),
        ({"channels": ["email", "email"]}, "email is there more than once"),
        ({"expires_days": 0}, "expires_days"),
        ({"rules": [{"id": "a", "on": "ticket.melted"}]}, "must be one of"),
        ({"rules": [{"id": "a", "on": "feature.used"}]}, "needs `nth`"),
        ({"rules": [{"id": "a", "on": "ticket.resolved", "nth": 2}]}, "is for feature.used"),
        ({"rules": [{"id": "a", "on": "ticket.resolved", "where": {"mood": "bad"}}]}, "no mood"),
        ({"rules": [{"id": "a", "on": "ticket.resolved", "sample": 1.5}]}, "sample"),
        ({"rules": [{"id": "a", "on": "ticket.resolved", "delay_hours": float("nan")}]}, "finite"),
        ({"rules": [{"id": "a", "every_days": 0}]}, "every_days"),
        ({"rules": [{"id": "a", "every_days": 90, "after": "ticket.resolved"}]}, "must be of"),
        ({"loop": {"at_most": 6}}, "loop.at_most: must be on the scale, 1 to 5"),
        ({"loop": {"at_most": 0}}, "loop.at_most: must be on the scale, 1 to 5"),
        (
            {"kind": "custom", "loop": {"at_most": 3}, "questions": [{"id": "poem", **POEM}]},
            "loop.at_most: needs a score question",
        ),
        ({"surprise": True}, "surprise"),
    ],
)
def test_what_makes_no_sense_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Definition.model_validate(survey(**changes))

    assert said in str(refused.value)


def test_a_choice_offers_each_option_once() -> None:
    option = {"id": "price", "text": {"en": "Price"}}
    choice = {"id": "why", "type": "choice", "text": {"en": "Why?"}, "options": [option, option]}

    with pytest.raises(ValidationError, match="price is there more than once"):
        Definition.model_validate(survey(questions=[SCORE, choice]))


def test_a_rule_is_about_an_event_or_about_a_rhythm() -> None:
    rules = [
        {"id": "parcel", "on": "order.delivered", "after_days": 3},
        {"id": "quarterly", "every_days": 90, "after": "customer.created"},
    ]

    parcel, quarterly = Definition.model_validate(survey(rules=rules)).rules

    assert isinstance(parcel, EventRule)
    assert parcel.delay.days == 3
    assert isinstance(quarterly, PeriodRule)
    assert quarterly.types == {"customer.created.v1"}


def test_a_survey_comes_through_json_unchanged() -> None:
    rules = [{"id": "quarterly", "every_days": 90}, {"id": "parcel", "on": "order.delivered"}]
    read = Definition.model_validate(survey(rules=rules, loop={"at_most": 3}))

    assert Definition.model_validate_json(read.model_dump_json()) == read


@pytest.mark.parametrize(
    ("language", "served"),
    [("de", "de"), ("de-AT", "de"), ("DE_at", "de"), ("pt", "pt-BR"), ("fr", None), (None, None)],
)
def test_a_reader_is_served_by_the_language_that_comes_nearest(
    language: str | None, served: str | None
) -> None:
    assert nearest(language, ["en", "de", "pt-BR"]) == served


def test_who_reads_none_of_the_languages_gets_the_first() -> None:
    read = Definition.model_validate(survey())

    assert say(read.title, "fi") == "Your case"
    assert read.language_for("fi", "de-CH") == "de"
    assert read.language_for("fi") == "en"


@pytest.mark.parametrize(("kind", "at_most"), [("nps", 6), ("csat", 2), ("ces", 3)])
def test_a_low_score_is_one_of_the_kinds_own(kind: str, at_most: int) -> None:
    assert Definition.model_validate(survey(kind=kind)).loop_at_most == at_most
    assert Definition.model_validate(survey(kind=kind, loop={"at_most": 1})).loop_at_most == 1
