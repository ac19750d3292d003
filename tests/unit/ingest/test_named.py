"""Whom a refused event names: an erasure finds it by what is found here."""

from typing import Any

import pytest
from rapport_ingest.quarantine.named import MOST, names_in


@pytest.mark.parametrize(
    ("event", "names"),
    [
        ({"userId": "u-1", "anonymousId": "a-1"}, {("user_id", "u-1"), ("anonymous_id", "a-1")}),
        ({"distinct_id": 7}, {("user_id", "7"), ("anonymous_id", "7")}),
        ({"data": {"identifiers": {"crm_id": "c", "email": "A@B.de"}}}, {
            ("crm_id", "c"), ("email", "a@b.de"),
        }),
        ({"data": {"from": {"user_id": "u-2"}}}, {("user_id", "u-2")}),
        ({"context": {"externalIds": [{"id": "9", "type": "CRM id"}]}}, {("crm_id", "9")}),
        ({"traits": {"e-mail": "ada@b.de"}}, {("email", "ada@b.de")}),
        ({"note": ["call", "ada@b.de"], "x": "+49 30 901820"}, {
            ("email", "ada@b.de"), ("phone", "+4930901820"),
        }),
    ],
)  # fmt: skip
def test_names_are_found_wherever_they_stand(event: object, names: set[tuple[str, str]]) -> None:
    assert names <= names_in(event)


@pytest.mark.parametrize(
    "event",
    [None, 5, "text", [], {"userId": "null"}, {"userId": True}, {"email": "none"}, {"a": [[]]}],
)
def test_what_names_nobody_has_no_names(event: object) -> None:
    assert names_in(event) == set()


def test_an_event_of_many_names_is_looked_at_so_far_and_no_further() -> None:
    many = {"identifiers": {f"k{number}": f"v{number}" for number in range(10_000)}}
    deep: Any = {"userId": "u-1"}
    for _ in range(9_000):
        deep = [deep]

    assert len(names_in(many)) == MOST
    assert names_in(deep) == set()
