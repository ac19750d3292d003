"""When somebody gets back to a customer."""

import pytest
from rapport_feedback.domain.followup import Loop, LoopTerms, next_step

_FREE = Loop("l", is_open=True, is_touched=False)
_TAKEN = Loop("l", is_open=True, is_touched=True)
_OVER = Loop("l", is_open=False, is_touched=False)


@pytest.mark.parametrize(("kind", "lowest_that_is_fine"), [("nps", 7), ("csat", 3), ("ces", 4)])
def test_a_low_score_opens_a_follow_up(kind: str, lowest_that_is_fine: int) -> None:
    assert next_step(kind, lowest_that_is_fine - 1, None, None) == "open"
    assert next_step(kind, lowest_that_is_fine, None, None) is None


def test_a_custom_score_opens_one_only_where_its_definition_says_so() -> None:
    assert next_step("custom", -5, None, None) is None
    assert next_step("custom", -5, None, None, LoopTerms(at_most=-5)) == "open"


def test_an_answer_without_a_score_opens_none() -> None:
    assert next_step("nps", None, None, None) is None


@pytest.mark.parametrize(
    ("score", "before", "latest", "expected"),
    [
        (9, 3, _FREE, "correct"),
        (9, 3, _TAKEN, None),
        (2, 3, _FREE, "rescore"),
        (2, 3, _TAKEN, "rescore"),
        (2, 3, _OVER, None),
        (2, 9, _OVER, "open"),
        (2, None, _OVER, "open"),
        (9, 3, _OVER, None),
        (None, 3, _FREE, "correct"),
    ],
)
def test_a_correction_does_to_a_follow_up_what_a_colleague_would_expect(
    score: int | None, before: int | None, latest: Loop, expected: str | None
) -> None:
    assert next_step("nps", score, before, latest) == expected
