"""Only a random key of the right length, and never one that everybody knows, opens a keyring."""

import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapport_privacy.crypto import InvalidMasterKeyError, MasterKey

from tests.support.privacy import a_master_key


def in_base64(secret: bytes) -> str:
    return base64.b64encode(secret).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n",
        "changeme",
        "not base64 at all!",
        in_base64(b""),
        in_base64(os.urandom(16)),
        in_base64(os.urandom(31)),
        in_base64(os.urandom(33)),
        in_base64(b"\0" * 32),
        in_base64(b"\xff" * 32),
        in_base64(bytes(range(32))),
        in_base64(bytes(range(100, 68, -1))),
        in_base64(b"changeme" * 4),
        in_base64(b"0123456789abcdef0123456789abcdef"),
        in_base64(b"correct horse battery staple !!!"),
        in_base64(os.urandom(4) * 8),
    ],
)
def test_a_guessable_key_is_refused_with_the_way_to_a_good_one(text: str) -> None:
    with pytest.raises(InvalidMasterKeyError, match="openssl rand -base64 32"):
        MasterKey.from_base64(text)


@pytest.mark.parametrize("secret", [b"changeme" * 4, b"s3cr3t-s3cr3t-s3cr3t-s3cr3t-1234"])
def test_a_refusal_does_not_show_the_key(secret: bytes) -> None:
    with pytest.raises(InvalidMasterKeyError) as refusal:
        MasterKey.from_base64(in_base64(secret))

    assert in_base64(secret) not in str(refusal.value)
    assert secret.decode() not in str(refusal.value)


@given(st.randoms(use_true_random=True))
def test_what_openssl_prints_is_accepted(random: object) -> None:
    del random
    MasterKey.from_base64(in_base64(os.urandom(32)) + "\n")


def test_a_key_gives_unrelated_sub_keys_and_always_the_same() -> None:
    master = a_master_key()

    assert master.derive("index") == master.derive("index")
    assert master.derive("index") != master.derive("suppression")
    assert master.derive("index") != a_master_key().derive("index")


def test_a_key_never_shows_itself() -> None:
    text = in_base64(os.urandom(32))
    master = MasterKey.from_base64(text)

    assert repr(master) == "MasterKey(**********)"
    assert text not in f"{master} {master!r}"


def test_a_key_file_that_others_can_read_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "master.key"
    file.write_text(in_base64(os.urandom(32)) + "\n")

    file.chmod(0o600)
    private = MasterKey.from_file(file)
    file.chmod(0o644)
    exposed = MasterKey.from_file(file)

    assert not private.exposed
    assert exposed.exposed
    assert private.derive("x") == exposed.derive("x")


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"\n"])
def test_a_key_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "master.key"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(InvalidMasterKeyError, match="openssl"):
        MasterKey.from_file(file)
