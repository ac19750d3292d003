"""What one key has sealed, for one event of one person, opens there and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapport_privacy.crypto import (
    ERASED,
    DataKey,
    Erased,
    TamperedError,
    bind,
    decode_base64,
    encode_base64,
    fingerprint,
    seal,
    unseal,
)

from tests.support.privacy import a_data_key

KEY = a_data_key()
ADA = "0b0f6f0e-6d6c-4d52-8d0f-6d1f0c9b1a11"
SECRET = b'{"email":"ada@example.com"}'


@dataclass
class Sealed:
    v: int
    kid: str
    n: str
    c: str


def sealed(plaintext: bytes = SECRET) -> dict[str, Any]:
    return seal(KEY, subject=ADA, event_id="e-1", type_="ticket.created.v1", plaintext=plaintext)


def opened(blob: Mapping[str, Any] | Sealed, key: DataKey = KEY) -> bytes:
    return unseal(key, blob, subject=ADA, event_id="e-1", type_="ticket.created.v1")


@given(st.binary(max_size=300))
def test_what_is_sealed_opens_again(plaintext: bytes) -> None:
    assert opened(sealed(plaintext)) == plaintext


def test_a_blob_opens_as_an_object_too() -> None:
    assert opened(Sealed(**sealed())) == SECRET


def test_the_same_secret_looks_different_each_time() -> None:
    one, another = sealed(), sealed()

    assert one["n"] != another["n"]
    assert one["c"] != another["c"]


@given(st.integers(min_value=0), st.sampled_from(["n", "c"]))
def test_any_flipped_bit_is_noticed(position: int, part: str) -> None:
    blob = sealed()
    raw = bytearray(decode_base64(blob[part]))
    raw[position // 8 % len(raw)] ^= 1 << position % 8

    with pytest.raises(TamperedError):
        opened(blob | {part: encode_base64(bytes(raw))})


@given(st.integers(min_value=0), st.sampled_from(["n", "c"]), st.characters())
def test_any_other_character_is_noticed(position: int, part: str, char: str) -> None:
    """Python's decoder skips what is no base64, and ignores the last character's spare bits."""
    blob = sealed(b"three")
    text = blob[part]
    place = position % len(text)
    if text[place] == char:
        return

    with pytest.raises(TamperedError):
        opened(blob | {part: text[:place] + char + text[place + 1 :]})


@pytest.mark.parametrize("part", ["n", "c"])
@pytest.mark.parametrize("change", ["=", "\n", " ", "A", "AAAA"])
def test_anything_appended_is_noticed(part: str, change: str) -> None:
    blob = sealed()

    with pytest.raises(TamperedError):
        opened(blob | {part: blob[part] + change})


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"subject": "another"},
        {"subject": None},
        {"event_id": "e-2"},
        {"type_": "ticket.created.v2"},
    ],
)
def test_a_blob_does_not_open_in_another_place(elsewhere: dict[str, Any]) -> None:
    here: dict[str, Any] = {"subject": ADA, "event_id": "e-1", "type_": "ticket.created.v1"}

    with pytest.raises(TamperedError):
        unseal(KEY, sealed(), **(here | elsewhere))


def test_a_blob_of_nobody_is_bound_to_nobody() -> None:
    blob = seal(KEY, subject=None, event_id="e", type_="t", plaintext=SECRET)

    assert unseal(KEY, blob, subject=None, event_id="e", type_="t") == SECRET
    with pytest.raises(TamperedError):
        unseal(KEY, blob, subject="", event_id="e", type_="t")


def test_another_key_opens_nothing() -> None:
    with pytest.raises(TamperedError):
        opened(sealed(), a_data_key())


def test_another_key_under_the_same_id_opens_nothing() -> None:
    with pytest.raises(TamperedError):
        opened(sealed(), DataKey(KEY.kid, b"\x01" * 32))


def test_a_blob_that_names_another_key_does_not_open() -> None:
    with pytest.raises(TamperedError, match="another key"):
        opened(sealed() | {"kid": a_data_key().kid})


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"v": 2},
        {"v": "1"},
        {"n": None},
        {"n": ""},
        {"c": ""},
        {"c": 7},
        {"kid": None},
        {"c": "\ud800"},
        {"c": "AAAA"},
    ],
)
def test_a_malformed_blob_is_tampering_and_nothing_else(broken: dict[str, Any]) -> None:
    blob = sealed() | broken if broken else {}

    with pytest.raises(TamperedError):
        opened(blob)


@given(st.lists(st.none() | st.text(max_size=5)), st.lists(st.none() | st.text(max_size=5)))
def test_no_two_places_are_written_alike(one: list[str | None], another: list[str | None]) -> None:
    assert (bind(*one) == bind(*another)) == (one == another)


def test_a_fingerprint_tells_equal_payloads_of_one_person_only() -> None:
    mine = fingerprint(KEY, b"payload")

    assert mine == fingerprint(KEY, b"payload")
    assert mine != fingerprint(KEY, b"payloae")
    assert mine != fingerprint(a_data_key(), b"payload")
    assert len(mine) == 22


def test_no_key_shows_itself() -> None:
    key = DataKey("kid-1", b"0123456789abcdef0123456789abcdef")

    assert repr(key) == "DataKey(kid='kid-1', **********)"
    assert "0123" not in f"{key} {key!r}"


def test_there_is_one_way_to_be_erased() -> None:
    assert isinstance(ERASED, Erased)
    assert repr(ERASED) == "ERASED"
