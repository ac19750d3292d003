"""What is refused when it is saved, for it could never be a yes; what was kept is still read."""

import pytest
from rapport_personalization.conditions import ConditionError, compile_condition
from rapport_personalization.documents import InvalidTriggerError, read_document, read_trigger
from rapport_personalization.domain.fields import schema
from rapport_personalization.literals import check_condition

SCHEMA = schema(["order.placed.v1"])
ORDERS = "customer.orders"


@pytest.mark.parametrize(
    ("source", "line", "column", "said"),
    [
        (
            'now - candidate.at > duration("7d")',
            1,
            31,
            "no duration: CEL counts in h, m and s; did",
        ),
        ('now - candidate.at > duration("7d")', 1, 31, "did you mean `168h`?"),
        ("now - candidate.at > duration('1d30m')", 1, 31, "did you mean `1470m`?"),
        ("true &&\n now - candidate.at > duration( '2w' )", 2, 33, "did you mean `336h`?"),
        ("// it's\nnow - candidate.at > duration('7d')", 2, 31, "`7d` is no duration"),
        ("now - candidate.at > duration('soon')", 1, 31, "`soon` is no duration"),
        (
            "now > timestamp('2026-13-01T00:00:00Z')",
            1,
            17,
            "`2026-13-01T00:00:00Z` is no timestamp",
        ),
        ("now > timestamp('2026-12-01')", 1, 17, "did you mean `2026-12-01T00:00:00Z`?"),
        ("customer.tier.matches('(')", 1, 23, "`(` is no regular expression: missing )"),
        ("customer.tier.matches(r'[')", 1, 23, "`[` is no regular expression: missing ]"),
        ("now.getHours('Europe/Berln') > 3", 1, 14, "did you mean `Europe/Berlin`?"),
        (f"{ORDERS}[0].plcaed_at > 1", 1, 20, "`plcaed_at`; did you mean `placed_at`?"),
        (f"{ORDERS}.exists(o, o['plcaed_at'] > 1)", 1, 29, "did you mean `placed_at`?"),
        (f"{ORDERS}[0]['plcaed_at'] > 1", 1, 20, "did you mean `placed_at`?"),
        (f"{ORDERS}.exists(o, o.idd.startsWith('a'))", 1, 27, "`o.idd`; did you mean `o.id`?"),
        ("has(customer.tier)", 1, 1, "`has` is not needed"),
        ("event.amount > 1 && has(customer.tier)", 1, 21, "`has` is not needed"),
        ("!has(customer.allows_profiling)", 1, 2, "a no while nobody knows it"),
    ],
)
def test_what_could_never_be_a_yes_is_refused_with_its_place(
    source: str, line: int, column: int, said: str
) -> None:
    with pytest.raises(ConditionError) as refused:
        check_condition(source, SCHEMA)

    assert said in refused.value.message
    assert (refused.value.line, refused.value.column) == (line, column)


@pytest.mark.parametrize(
    "source",
    [
        "now - candidate.at > duration('168h') || now - candidate.at > duration('1.5h30m')",
        "now > timestamp('2026-12-01T00:00:00+02:00')",
        "customer.tier.matches('^(gold|silver)$') && customer.tier.matches(r'\\d+')",
        "now.getHours('Europe/Berlin') > 3 && now.getDayOfWeek('+02:00') == now.getHours()",
        "now.getHours(customer.tz) > 3",
        "customer.stage in ['new', 'active'] && event.coupon == 'duration(\"7d\")'",
        f"{ORDERS}.exists(o, o['placed_at'] > 1 && o.id.startsWith('a') && has(o.delivered_at))",
        f"{ORDERS}[0].placed_at > 1 && {ORDERS}.filter(o, o.is_standing)[0].id.size() > 2",
        "['a', 'b'].exists(one, one.startsWith(customer.tier)) // duration('7d')",
        "[customer.tier]['a' == 'b' ? 0 : 0] == 'a'",
    ],
)
def test_what_may_be_a_yes_is_none_of_it(source: str) -> None:
    assert check_condition(source, SCHEMA).names == compile_condition(source, SCHEMA).names


def test_a_trigger_that_was_accepted_once_is_read_and_not_accepted_again() -> None:
    text = (
        "id: ok\nrank: 1\nkind: task\ntemplate: x\non: {event: order.placed, key: order}\n"
        "when: now - candidate.at > duration('7d')\n"
    )

    with pytest.raises(InvalidTriggerError, match="6:37: when: `7d` is no duration"):
        read_document(text)
    assert read_trigger(text).id == "ok"
