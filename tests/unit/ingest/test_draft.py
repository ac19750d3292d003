"""Drafts: who they are about, and how the quarantine keeps what was refused."""

import json

import pytest
from rapport_ingest.canonical import parse
from rapport_ingest.draft import identify, raw_json


def test_identifiers_are_normalised_and_placeholders_left_out() -> None:
    known, problems = identify(
        {"user_id": " u-1 ", "email": "Ada@Example.com", "anonymous_id": "null", "crm_id": "7"}
    )

    assert known == {"user_id": "u-1", "email": "ada@example.com", "crm_id": "7"}
    assert [problem.code for problem in problems] == ["placeholder_identifier"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [("email", "not an address"), ("user_id", "x" * 257), ("Crm/Id", "7"), ("order", "O-1")],
)
def test_an_identifier_that_cannot_name_a_person_is_told_without_its_value(
    kind: str, value: str
) -> None:
    known, (problem,) = identify({kind: value})

    assert known == {}
    assert problem.code == "bad_identifier"
    assert value not in problem.detail
    assert problem.pointer.count("/") == 2


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"\\ud83d"}',
        b'{"a":NaN}',
        b'{"a":1e999}',
        b'{"a":1,"a":2}',
        b'{"a":' + b"9" * 40 + b"}",
        b'{"a":' + b"[" * 800 + b"]" * 800 + b"}",
        b'{"a":"\\u0000"}',
        b"null",
    ],
)
def test_whatever_was_refused_can_be_kept(body: bytes) -> None:
    kept = raw_json(parse(body))

    assert kept.isascii()
    json.loads(kept)
