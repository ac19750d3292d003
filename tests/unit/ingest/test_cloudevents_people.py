"""Whom a CloudEvent is about, as its data say."""

from typing import Any

import pytest

from tests.support.publishers import cloudevent, from_cloudevent

TICKET = "ticket.created.v1"


def test_data_names_the_customer() -> None:
    """publishers.md, line 13."""
    identifiers = {"user_id": 97, "email": "ada@example.com", "phone": None}

    draft = from_cloudevent(cloudevent(TICKET, {"ticket": "T-1", "identifiers": identifiers}))

    assert draft.identifiers == {"user_id": "97", "email": "ada@example.com"}
    assert draft.strict
    assert draft.data == {"ticket": "T-1"}


def test_an_event_without_identifiers_is_nobodys() -> None:
    """The publisher's subject is opaque: no guess is made of it, and it is sealed."""
    draft = from_cloudevent(cloudevent(TICKET, {"ticket": "T-1"}, subject="ada@example.com"))

    assert draft.identifiers == {}
    assert draft.context == {"attributes": {"subject": "ada@example.com"}}
    assert draft.notes == ("no identifiers: the event is nobody's",)


@pytest.mark.parametrize(
    ("type_", "data", "identifiers"),
    [
        ("customer.created.v1", {"email": "a@b.test"}, {"email": "a@b.test"}),
        ("customer.identified.v1", {"traits": {"phone": "+4930901820"}}, {"phone": "+4930901820"}),
        (
            "customer.created.v1",
            {"email": "a@b.test", "identifiers": {"email": "c@d.test"}},
            {"email": "c@d.test"},
        ),
    ],
)
def test_who_says_who_somebody_is_names_them(
    type_: str, data: dict[str, Any], identifiers: dict[str, str]
) -> None:
    assert from_cloudevent(cloudevent(type_, data)).identifiers == identifiers


def test_a_merge_names_the_other_one_by_identifiers() -> None:
    data = {"from": {"user_id": 12, "email": None}, "identifiers": {"user_id": "u-97"}}

    draft = from_cloudevent(cloudevent("customer.merged.v1", data))

    assert (draft.identifiers, draft.other) == ({"user_id": "u-97"}, {"user_id": "12"})


def test_an_alias_names_both_in_its_fields() -> None:
    data = {"previous_id": "a-1", "user_id": "u-97"}

    draft = from_cloudevent(cloudevent("customer.aliased.v1", data))

    assert draft.identifiers == {"user_id": "u-97"}
    assert draft.other == {"user_id": "a-1", "anonymous_id": "a-1"}
