"""Links to surveys: nobody makes one but us, and each is good for one survey and one time."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from rapport_feedback.tokens import LENGTH, make_token, read_token
from rapport_privacy.crypto import decode_base64, encode_base64
from rapport_privacy.root import RootKey

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
OURS = RootKey.new().mac_local


def test_a_link_leads_to_the_survey_it_was_made_for() -> None:
    survey = str(uuid4())

    link = read_token(OURS, make_token(OURS, survey, NOON))

    assert link is not None
    assert (link.id, link.expires) == (survey, NOON)


def test_a_link_that_has_expired_is_still_known_as_ours() -> None:
    link = read_token(OURS, make_token(OURS, str(uuid4()), NOON - timedelta(days=400)))

    assert link is not None
    assert link.expires < NOON


def test_no_link_holds_with_a_single_bit_changed() -> None:
    token = make_token(OURS, str(uuid4()), NOON)
    raw = decode_base64(token)

    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        assert read_token(OURS, encode_base64(bytes(changed))) is None, bit


def test_no_link_holds_with_a_single_bit_of_a_letter_changed() -> None:
    token = make_token(OURS, str(uuid4()), NOON)

    for place, letter in enumerate(token):
        for bit in range(8):
            changed = token[:place] + chr(ord(letter) ^ 1 << bit) + token[place + 1 :]
            assert read_token(OURS, changed) is None, (place, bit)


def test_a_link_of_another_deployment_leads_nowhere() -> None:
    theirs = RootKey.new().mac_local

    assert read_token(OURS, make_token(theirs, str(uuid4()), NOON)) is None


def test_a_hash_made_for_something_else_opens_no_survey() -> None:
    def elsewhere(_: str, payload: bytes) -> bytes:
        return OURS("another purpose", payload)

    assert read_token(OURS, make_token(elsewhere, str(uuid4()), NOON)) is None


def test_a_link_of_a_coming_version_is_not_mistaken_for_one_of_today() -> None:
    payload = b"\x02" + uuid4().bytes + int(NOON.timestamp()).to_bytes(6, "big")
    signed = payload + OURS("survey link v1", payload)[:16]

    assert read_token(OURS, encode_base64(signed)) is None


@pytest.mark.parametrize(
    "text", ["", "x", "=" * LENGTH, "é" * LENGTH, "\ud800" * LENGTH, "A" * LENGTH, "A" * 1_000_000]
)
def test_any_text_is_an_answerable_link(text: str) -> None:
    assert read_token(OURS, text) is None


def test_the_furthest_expiry_can_be_told() -> None:
    payload = b"\x01" + UUID(int=1).bytes + b"\xff" * 6
    signed = payload + OURS("survey link v1", payload)[:16]

    link = read_token(OURS, encode_base64(signed))

    assert link is not None
    assert link.expires.year == 9999


def test_a_link_is_short_enough_for_a_text_message() -> None:
    assert len(make_token(OURS, str(uuid4()), NOON)) == LENGTH
