"""How a caller may name a customer."""

import pytest
from rapport_profile.ref import MalformedRefError, Ref, criterion, parse_ref

SUBJECT = "7f9c24e5-2b1a-4c3d-8e5f-0a1b2c3d4e5f"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (SUBJECT.upper(), "subject", SUBJECT),
        (f"subject:{SUBJECT}", "subject", SUBJECT),
        ("email:Ada@Example.com", "email", "ada@example.com"),
        ("phone:+49 30 901820", "phone", "+4930901820"),
        ("user_id:u-97", "user_id", "u-97"),
        ("anonymous_id:a:b:c", "anonymous_id", "a:b:c"),
        ("loyalty_id:L-7/1", "loyalty_id", "L-7/1"),
        ("order:O-2077", "order", "O-2077"),
        ("ticket:T 1", "ticket", "T 1"),
    ],
)
def test_a_customer_has_many_names(text: str, kind: str, value: str) -> None:
    assert parse_ref(text) == Ref(kind, value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada@example.com",
        "email:",
        "email:not-an-address",
        "Email:grace@example.com",
        "phone:call me",
        "user_id:undefined",
        "subject:7f9c24e5",
        "survey:v-1",
        "order:",
        "order:O\x00",
        f"{'k' * 33}:u-97",
    ],
)
def test_what_names_nobody_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(MalformedRefError) as refused:
        parse_ref(text)

    assert refused.value.status_code == 422
    assert [error.pointer for error in refused.value.errors] == ["/ref"]
    given = text.partition(":")[2]
    assert not given or given not in f"{refused.value.detail} {refused.value.errors}"


def test_a_plus_that_became_a_space_is_still_a_phone_number() -> None:
    assert criterion("phone", " 4930901820", name="phone") == Ref("phone", "+4930901820")
