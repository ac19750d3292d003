"""What an operator blocks, and what is none of it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from rapport_ingest.blocked import NOTHING_BLOCKED, BadPatternError, parse_blocklist
from rapport_ingest.settings import IdentifierSettings
from rapport_privacy.identifiers import normalise

BLOCKED = [
    ("email:test@*", "email", "Test@Acme.de"),
    ("email:*@ACME.de", "email", "anybody@acme.de"),
    ("email:Till@Shop.de", "email", "till@shop.DE"),
    ("phone:+49 (0)30 123-4567", "phone", "0049 30 1234567"),
    ("phone:+49 30 *", "phone", "+49301234567"),
    ("user_id:demo-*", "user_id", "demo-"),
    ("device:*", "device", "any thing"),
    ("email:a@x.org, user_id:u-1\n\nphone:+49301234567,", "user_id", "u-1"),
]

LEFT_ALONE = [
    ("email:test@*", "email", "latest@acme.de"),
    ("email:test@*", "user_id", "test@acme.de"),
    ("email:*.acme.de", "email", "ada@acme.de"),
    ("email:a.b@x.org", "email", "acb@x.org"),
    ("email:a?b@x.org*", "email", "acb@x.org"),
    ("user_id:demo-*", "user_id", "Demo-1"),
    ("user_id:[ab]*", "user_id", "a"),
    ("phone:+49301234567", "phone", "030 1234567"),
]

UNREADABLE = ["email", "email:", ":u-1", "Email:a@x.org", "*:u-1", "email:nobody", "order:O-1"]


@pytest.mark.parametrize(("patterns", "kind", "value"), BLOCKED)
def test_what_is_blocked_is_blocked_in_any_spelling(patterns: str, kind: str, value: str) -> None:
    assert parse_blocklist(patterns).names(kind, normalise(kind, value))


@pytest.mark.parametrize(("patterns", "kind", "value"), LEFT_ALONE)
def test_what_only_looks_like_it_is_left_alone(patterns: str, kind: str, value: str) -> None:
    assert not parse_blocklist(patterns).names(kind, normalise(kind, value))


@given(st.sampled_from(["user_id", "email", "phone"]), st.text(max_size=40))
def test_by_default_nothing_is_blocked(kind: str, value: str) -> None:
    assert not NOTHING_BLOCKED.names(kind, value)
    assert not parse_blocklist("\n , ").names(kind, value)


@pytest.mark.parametrize("pattern", UNREADABLE)
def test_a_pattern_that_cannot_be_meant_stops_the_start_and_is_told_by_its_place(
    pattern: str,
) -> None:
    with pytest.raises(BadPatternError, match="blocked identifier 2"):
        parse_blocklist(f"user_id:u-secret,{pattern}")
    with pytest.raises(ValidationError) as refused:
        IdentifierSettings(blocked=f"user_id:u-secret,{pattern}")

    assert "u-secret" not in str(refused.value)


def test_a_long_list_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "blocked"
    file.write_text("email:test@*\nphone:+49301234567\n")

    settings = IdentifierSettings.model_validate({"blocked_file": file})

    assert parse_blocklist(settings.blocked).names("phone", "+49301234567")
