"""Answers held against their questions: what is taken, and what is said about what is not."""

from typing import Any

import pytest
from rapport_feedback.domain.definition import Definition
from rapport_feedback.domain.given import Answers, Flaw, Given, check

SURVEY = Definition.model_validate(
    {
        "id": "after_case",
        "kind": "nps",
        "title": {"en": "Your case"},
        "questions": [
            {"id": "recommend", "type": "score", "text": {"en": "Would you?"}, "required": True},
            {"id": "speed", "type": "score", "text": {"en": "Fast?"}, "scale": [1, 5]},
            {
                "id": "reason",
                "type": "choice",
                "text": {"en": "Why?"},
                "options": [{"id": "price", "text": {"en": "Price"}}, *(
                    {"id": name, "text": {"en": name}} for name in ("speed", "people")
                )],
            },
            {
                "id": "liked",
                "type": "choice",
                "text": {"en": "What did you like?"},
                "multiple": True,
                "options": [{"id": name, "text": {"en": name}} for name in ("app", "shop")],
            },
            {"id": "comment", "type": "text", "max": 10, "text": {"en": "More?"}},
            {"id": "missing", "type": "text", "text": {"en": "Anything missing?"}},
        ],
    }
)  # fmt: skip
OPTIONAL = Definition.model_validate(
    {
        "id": "kiosk",
        "kind": "custom",
        "title": {"en": "Hello"},
        "questions": [
            {"id": "comment", "type": "text", "text": {"en": "Say something"}},
            {"id": "score", "type": "score", "scale": [-5, 5], "text": {"en": "How?"}},
        ],
    }
)


def test_an_answer_is_told_under_the_names_of_the_event() -> None:
    given = Given(
        scores={"recommend": 9, "speed": 4},
        choices={"reason": ["price"], "liked": ["app", "shop"]},
        texts={"comment": "Good.", "missing": "A bell."},
    )

    assert check(SURVEY, given) == Answers(
        score=9,
        scores={"speed": 4},
        choices={"reason": ("price",), "liked": ("app", "shop")},
        comment="Good.",
        texts={"missing": "A bell."},
    )


def test_what_was_left_empty_was_not_answered() -> None:
    given = Given(scores={"recommend": 0}, choices={"reason": []}, texts={"comment": " \r\n "})

    assert check(SURVEY, given) == Answers(score=0)


def test_what_nobody_can_type_is_no_part_of_a_text() -> None:
    given = Given(scores={"recommend": 9}, texts={"comment": "\x01a\0\tb\x1b\x7f\n\x0bc\x01"})

    answers = check(SURVEY, given)

    assert isinstance(answers, Answers)
    assert answers.comment == "a\tb\nc"


def test_a_text_is_as_long_as_the_customer_typed_it() -> None:
    given = Given(scores={"recommend": 9}, texts={"comment": "1234\r\n6789\n"})

    answers = check(SURVEY, given)

    assert isinstance(answers, Answers)
    assert answers.comment == "1234\n6789"


@pytest.mark.parametrize(
    ("given", "flaw"),
    [
        ({"scores": {}}, Flaw("required", "recommend")),
        ({"scores": {"recommend": 11}}, Flaw("not_on_scale", "recommend", (0, 10))),
        ({"scores": {"recommend": -1}}, Flaw("not_on_scale", "recommend", (0, 10))),
        ({"scores": {"recommend": 9, "speed": 0}}, Flaw("not_on_scale", "speed", (1, 5))),
        ({"choices": {"reason": ["weather"]}}, Flaw("no_option", "reason")),
        ({"choices": {"reason": ["price", "speed"]}}, Flaw("one_only", "reason")),
        ({"choices": {"liked": ["app", "app"]}}, Flaw("no_option", "liked")),
        ({"texts": {"comment": "x" * 11}}, Flaw("too_long", "comment", (10,))),
        ({"texts": {"recommend": "9"}}, Flaw("not_asked", "recommend")),
        ({"scores": {"recommend": 9, "mood": 1}}, Flaw("not_asked", "mood")),
        ({"choices": {"comment": ["price"]}}, Flaw("not_asked", "comment")),
    ],
)
def test_what_a_question_does_not_allow_is_named(given: dict[str, Any], flaw: Flaw) -> None:
    assert check(SURVEY, Given(**{"scores": {"recommend": 9}, **given})) == (flaw,)


def test_all_that_is_wrong_is_told_at_once() -> None:
    given = Given(scores={"recommend": 99}, texts={"comment": "x" * 100})

    flaws = check(SURVEY, given)

    assert isinstance(flaws, tuple)
    assert [flaw.question for flaw in flaws] == ["recommend", "comment"]


def test_an_empty_form_is_no_answer() -> None:
    assert check(OPTIONAL, Given(texts={"comment": "  "})) == (Flaw("nothing"),)


def test_a_comment_without_a_score_is_an_answer() -> None:
    assert check(OPTIONAL, Given(texts={"comment": "Hi"})) == Answers(comment="Hi")


def test_a_scale_may_begin_below_zero() -> None:
    assert check(OPTIONAL, Given(scores={"score": -5})) == Answers(score=-5)


def test_what_was_written_is_in_no_repr() -> None:
    secret = Given(texts={"comment": "my secret"})

    assert "secret" not in repr(secret)
    assert "secret" not in repr(check(OPTIONAL, secret))
