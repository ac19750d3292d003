"""The root key: indexes that reveal nothing, wrapped keys that stay in their rows."""

import pytest
from rapport_privacy.crypto import TamperedError
from rapport_privacy.root import RootKey, WrongMasterKeyError

from tests.support.privacy import a_master_key


def test_an_identifier_has_one_index_and_no_other_has_it() -> None:
    root = RootKey.new()
    indexes = {
        root.blind_index(kind, value)
        for kind in ("email", "emai", "user_id")
        for value in ("l|ada", "ada", "|ada", "")
    }

    assert len(indexes) == 12
    assert {len(index) for index in indexes} == {16}
    assert root.blind_index("email", "ada") in indexes


def test_two_keyrings_know_a_person_under_different_indexes() -> None:
    assert RootKey.new().blind_index("email", "a@b.de") != RootKey.new().blind_index(
        "email", "a@b.de"
    )


def test_a_suppression_does_not_contain_the_index() -> None:
    root = RootKey.new()
    index = root.blind_index("email", "ada@example.com")

    assert root.suppression(index) == root.suppression(index)
    assert index not in root.suppression(index)


def test_the_root_key_opens_with_its_master_key_only() -> None:
    master, root = a_master_key(), RootKey.new()
    wrapped = root.wrapped_under(master)

    again = RootKey.unwrapped(master, wrapped)

    assert again.blind_index("email", "ada") == root.blind_index("email", "ada")
    with pytest.raises(WrongMasterKeyError, match="RAPPORT_KEYRING__MASTER_KEY"):
        RootKey.unwrapped(a_master_key(), wrapped)


def test_a_wrapped_key_opens_in_its_own_row_only() -> None:
    root = RootKey.new()
    key, wrapped = root.new_data_key("kid-1", "ada")

    again = root.data_key("kid-1", "ada", wrapped)

    assert again.mac(b"x") == key.mac(b"x")
    for kid, subject in (("kid-2", "ada"), ("kid-1", "bob"), ("kid-1", None)):
        with pytest.raises(TamperedError):
            root.data_key(kid, subject, wrapped)


def test_a_local_seal_opens_for_its_purpose_only() -> None:
    root = RootKey.new()
    sealed = root.seal_local("quarantine", b"payload")

    assert b"payload" not in sealed
    assert root.open_local("quarantine", sealed) == b"payload"
    with pytest.raises(TamperedError):
        root.open_local("spool", sealed)
    with pytest.raises(TamperedError):
        root.open_local("quarantine", sealed[:-1])
    with pytest.raises(TamperedError):
        root.open_local("quarantine", b"")


def test_the_root_key_never_shows_itself() -> None:
    assert repr(RootKey.new()) == "RootKey(**********)"
