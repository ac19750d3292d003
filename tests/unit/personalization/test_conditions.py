"""Conditions: judged when they are saved; a plain yes, or a no that says what was missing."""

from datetime import datetime
from decimal import Decimal

import pytest
from rapport_personalization.conditions import ConditionError, compile_condition
from rapport_personalization.domain.fields import ALWAYS, schema

from tests.support.decisions import NOON

SCHEMA = schema(["order.placed.v1"])


@pytest.mark.parametrize(
    ("source", "line", "column", "said"),
    [
        ("event.amout > 1", 1, 1, "`event.amount`"),
        ("true &&\n  customer.sgment == 'vip'", 2, 3, "`customer.segment`"),
        ("segment == 'vip'", 1, 1, "`customer.segment`"),
        ("customer.orders.exists(o, o.plcaed_at > 1)", 1, 27, "`o.placed_at`"),
        ("event.amount == 'a'", 1, 14, "no matching overload"),
        ("event.amount +", 1, 15, "mismatched input"),
        ("event.amount", 1, 1, "true or false, and says int"),
        ("", 1, 1, "mismatched input"),
        ("buy_now(1)", 1, 1, "there is no `buy_now`"),
        ("'" + "a" * 2_000 + "' == ''", 1, 1, "longer than"),
        ("(" * 300 + "true" + ")" * 300, 1, 1, "nested too deeply"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    source: str, line: int, column: int, said: str
) -> None:
    with pytest.raises(ConditionError) as refused:
        compile_condition(source, SCHEMA)

    assert said in refused.value.message
    assert (refused.value.line, refused.value.column) == (line, column)


def test_only_a_plain_yes_is_a_yes() -> None:
    condition = compile_condition("event.amount > 100", SCHEMA)

    assert condition.names == {"event.amount"}
    assert condition.holds({"event.amount": 101}).is_true
    assert not condition.holds({"event.amount": 100}).is_true


def test_what_is_missing_is_a_no_and_is_told() -> None:
    condition = compile_condition("event.amount > 100 && customer.segment == 'vip'", SCHEMA)

    verdict = condition.holds({"event.amount": 200})

    assert not verdict.is_true
    assert verdict.missing == ("customer.segment",)


def test_what_is_missing_does_not_matter_where_the_rest_decides() -> None:
    condition = compile_condition("customer.segment == 'vip' || event.amount > 100", SCHEMA)

    assert condition.holds({"event.amount": 200}).is_true
    assert not condition.holds({"event.amount": 50}).is_true


def test_loops_within_loops_come_to_an_end() -> None:
    inner = "customer.orders.all(d, a.net + b.net + c.net + d.net >= 0)"
    nested = f"customer.orders.all(c, {inner})"
    condition = compile_condition(
        f"customer.orders.all(a, customer.orders.all(b, {nested}))", SCHEMA
    )

    verdict = condition.holds({"customer.orders": [{"net": 1}] * 300})

    assert not verdict.is_true
    assert verdict.error == "loops for too long"


def test_a_regular_expression_that_would_try_for_ever_does_not() -> None:
    condition = compile_condition("customer.segment.matches('(a+)+$')", SCHEMA)

    assert not condition.holds({"customer.segment": "a" * 50_000 + "b"}).is_true


@pytest.mark.parametrize("value", [Decimal(1), {1}, object(), "1", 2**70, float("nan")])
def test_a_value_of_a_strange_type_is_a_no_with_a_reason(value: object) -> None:
    verdict = compile_condition("event.amount >= 1", SCHEMA).holds({"event.amount": value})

    assert not verdict.is_true
    assert verdict.error


def test_what_was_said_of_true_is_not_said_of_one() -> None:
    condition = compile_condition("order.is_standing", SCHEMA)

    assert condition.holds({"order.is_standing": True}).is_true
    assert not condition.holds({"order.is_standing": 1}).is_true
    assert condition.holds({"order.is_standing": True}).is_true


def test_a_condition_asked_about_everybody_says_of_each_what_is_so() -> None:
    condition = compile_condition("event.amount > 700 && customer.tier == 'gold'", SCHEMA)

    for amount in range(1_400):
        for tier in ("gold", "iron", "gold" * 40):
            said = condition.holds({"event.amount": amount, "customer.tier": tier})
            assert said.is_true == (amount > 700 and tier == "gold")


def test_names_in_texts_are_no_names() -> None:
    condition = compile_condition("event.coupon == 'customer.segment'", SCHEMA)

    assert condition.names == {"event.coupon"}


def test_only_what_a_condition_names_is_handed_over() -> None:
    condition = compile_condition("customer.tier == 'gold'", SCHEMA)

    assert condition.holds({"customer.tier": "gold", "customer.orders": object()}).is_true


def test_times_in_lists_are_seconds() -> None:
    condition = compile_condition(
        "customer.orders.exists(o, timestamp(o.placed_at) >= candidate.at)", SCHEMA
    )
    at = int(NOON.timestamp())

    assert condition.holds({"customer.orders": [{"placed_at": at}], "candidate.at": NOON}).is_true


def test_every_documented_field_can_be_named() -> None:
    kinds = {"int": "> 0", "double": "> 0.0", "string": "== 'x'", "timestamp": "> now"}
    for name, field in ALWAYS.items():
        rest = kinds.get(field.type, "")
        match field.type:
            case "duration":
                source = f"{name} > duration('1h')"
            case "maps" | "strings":
                source = f"size({name}) > 0"
            case _:
                source = f"{name} {rest}"
        assert name in compile_condition(source, SCHEMA).names
        assert field.about


def test_the_clock_is_only_ever_what_is_handed_over() -> None:
    condition = compile_condition("now - candidate.at > duration('24h')", SCHEMA)
    later = datetime.fromisoformat("2026-03-04T00:00:00+00:00")

    assert condition.holds({"now": later, "candidate.at": NOON}).is_true
    assert condition.holds({"candidate.at": NOON}).missing == ("now",)
