"""The door: what a publisher is told about an event that cannot be accepted."""

from typing import Any

import pytest
from rapport_events.problem import MAX_PROBLEMS, Problem, check


def only(type_: str, data: Any) -> Problem:  # noqa: ANN401 - whatever somebody may send
    (problem,) = check(f"{type_}.v1", data)
    return problem


def test_a_good_event_has_no_problems() -> None:
    items = [{"product": "sku-88", "quantity": 1, "price": 4990}]

    assert check("order.placed.v1", {"amount": 4990, "currency": "EUR", "items": items}) == []


def test_what_the_publisher_leaves_out_may_be_null() -> None:
    assert check("ticket.message.v1", {"ticket": "T-1", "agent": None, "sentiment": None}) == []


@pytest.mark.parametrize(
    ("type_", "data", "pointer", "code"),
    [
        ("ticket.created", {}, "/data/ticket", "missing"),
        ("ticket.created", {"ticket": ""}, "/data/ticket", "too_short"),
        ("ticket.created", {"ticket": 7}, "/data/ticket", "wrong_type"),
        ("ticket.created", {"ticket": "T", "priority": "ASAP"}, "/data/priority", "not_allowed"),
        ("ticket.created", {"ticket": "T", "topic": "x" * 300}, "/data/topic", "too_long"),
        ("ticket.message", {"ticket": "T", "sentiment": -101}, "/data/sentiment", "out_of_range"),
        ("ticket.message", {"ticket": "T", "bot": 1}, "/data/bot", "wrong_type"),
        ("order.placed", {"amount": 49.9, "currency": "EUR"}, "/data/amount", "wrong_type"),
        ("order.placed", {"amount": True, "currency": "EUR"}, "/data/amount", "wrong_type"),
        ("order.placed", {"amount": 2**60, "currency": "EUR"}, "/data/amount", "out_of_range"),
        ("order.placed", {"amount": 5}, "/data/currency", "missing"),
        ("order.placed", {"currency": "eur"}, "/data/currency", "bad_format"),
        ("order.placed", {"items": [{}, {"price": -1}]}, "/data/items/1/price", "out_of_range"),
        ("order.placed", {"items": [{}] * 501}, "/data/items", "too_long"),
        ("order.placed", {"items": [5]}, "/data/items/0", "wrong_type"),
        ("order.shipped", {"order": "O", "eta": "2026-03-01"}, "/data/eta", "bad_format"),
        ("order.shipped", {"order": "O", "eta": "2026-03-01T12:00:00"}, "/data/eta", "bad_format"),
        ("order.shipped", {"order": "O", "eta": 1772366400}, "/data/eta", "wrong_type"),
        ("order.shipped", {"order": "O", "eta": "9999-12-31T23:59:59-05:00"}, "/data/eta",
         "bad_format"),
        ("customer.created", {"birth_date": "10.12.1990"}, "/data/birth_date", "bad_format"),
        ("customer.created", {"birth_date": "1990-02-30"}, "/data/birth_date", "bad_format"),
        ("customer.merged", {}, "/data/from", "missing"),
        ("customer.merged", {"from": {"a/b~": None}}, "/data/from/a~1b~0", "wrong_type"),
        ("score.updated", {"score": "clv", "value": float("inf")}, "/data/value", "out_of_range"),
        ("order.placed", [], "/data", "wrong_type"),
    ],
)  # fmt: skip
def test_a_problem_points_at_what_is_to_be_mended(
    type_: str, data: object, pointer: str, code: str
) -> None:
    problem = only(type_, data)

    assert (problem.pointer, problem.code) == (pointer, code)
    assert problem.detail


@pytest.mark.parametrize(
    ("kind", "score", "fits"),
    [("nps", 0, True), ("nps", 11, False), ("csat", 0, False), ("csat", 5, True),
     ("ces", 7, True), ("ces", 8, False), ("custom", -40, True)],
)  # fmt: skip
def test_a_score_is_on_the_scale_of_its_kind(kind: str, score: int, fits: bool) -> None:  # noqa: FBT001
    problems = check("survey.responded.v1", {"survey": "v-1", "kind": kind, "score": score})

    assert [problem.code for problem in problems] == ([] if fits else ["out_of_range"])


@pytest.mark.parametrize(
    ("type_", "data", "hint"),
    [
        ("order.placed", {"curency": "EUR"}, "did you mean `currency`"),
        ("order.placed", {"items": [{"prise": 1}]}, "did you mean `price`"),
        ("order.placed", {"gift_wrap": True}, "under `properties`"),
        ("order.placed", {"channel": "web"}, "stands beside `data`"),
        ("customer.merged", {"from": {"user_id": "u"}, "from_": {}}, "did you mean `from`"),
    ],
)
def test_an_unknown_field_is_refused_with_a_hint(type_: str, data: object, hint: str) -> None:
    problem = only(type_, data)

    assert problem.code == "unknown_field"
    assert hint in problem.detail


def test_a_misspelt_type_is_refused_with_the_right_one() -> None:
    problem = only("order.place", {})

    assert problem == Problem(
        "/type", "unknown_type", "no such event; did you mean order.placed.v1?"
    )


def test_a_type_of_ones_own_is_told_how_to_be_named() -> None:
    assert "custom.<name>.v1" in only("zzzzzz", {}).detail


def test_ones_own_event_puts_its_details_under_properties() -> None:
    type_ = "custom.quiz_finished.v1"

    assert check(type_, {"name": "Quiz Finished", "properties": {"score": 7}}) == []
    assert [problem.code for problem in check(type_, {"score": 7})] == ["unknown_field"]


@pytest.mark.parametrize(
    ("type_", "data", "field"),
    [
        ("customer.merged", {"from": {"user_id": "u"}}, "from_subject"),
        ("customer.aliased", {"previous_id": "a"}, "previous_subject"),
    ],
)
def test_only_ingest_says_whose_subject_it_is(type_: str, data: dict[str, Any], field: str) -> None:
    problem = only(type_, data | {field: "5f0c9a52-2f0b-4f6e-8d57-0c3f5b7d9e11"})

    assert (problem.pointer, problem.code) == (f"/data/{field}", "not_allowed")


def test_a_thousand_wrong_fields_are_told_in_twenty_sentences() -> None:
    problems = check("order.placed.v1", {f"field_{number}": 1 for number in range(1000)})

    assert len(problems) == MAX_PROBLEMS


@pytest.mark.parametrize(
    "data",
    [
        {"birth_date": "secret"},
        {"email": "secret" * 100},
        {"email": ["secret"]},
        {"phone": {"secret": "secret"}},
        {"tz": {"secret": 1}},
        {"properties": "secret"},
    ],
)
def test_a_problem_never_quotes_a_value(data: object) -> None:
    assert "secret" not in repr(only("customer.created", data))
