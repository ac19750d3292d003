"""Who may call: keys from one file, wherever publishers' SDKs put them."""

import base64
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapport_runtime.http.auth import (
    KeyEndedError,
    KeyMalformedError,
    KeyMissingError,
    Keys,
    KeyUnknownError,
    MissingScopeError,
)
from rapport_runtime.http.keyfile import (
    KeyRefusedError,
    KeysFileError,
    add_key,
    import_key,
    mint,
    read_keys,
    revoke_key,
    well_formed,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def basic(user: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:".encode()).decode()}


class Clock:
    """Time that passes when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_key_is_found_wherever_an_sdk_puts_it(path: Path) -> None:
    key, stored = add_key(path, "shop", ["events:write"], source="web-shop")
    keys = Keys(path)

    found = [
        keys.authenticate(bearer(key)),
        keys.authenticate(basic(key)),
        keys.authenticate({"x-write-key": key}),
        keys.authenticate({"x-write-key": f"js.main:{key}"}),
        keys.authenticate({}, key),
    ]

    assert {(principal.key_id, principal.source) for principal in found} == {
        (stored.id, "web-shop")
    }
    assert found[0].has("events:write")


def test_a_key_that_publishers_already_have_is_taken_over(path: Path) -> None:
    import_key(path, "a1b2c3d4:0123456789abcdef", "jitsu", ["events:write"])

    principal = Keys(path).authenticate({"x-write-key": "a1b2c3d4:0123456789abcdef"})

    assert principal.name == "jitsu"


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, KeyMissingError),
        ({"authorization": "Bearer "}, KeyMissingError),
        ({"authorization": "Basic !!!"}, KeyMissingError),
        ({"authorization": "Digest abc"}, KeyMissingError),
        ({"x-write-key": "k" * 10_000}, KeyMissingError),
        ({"authorization": "Bearer \u00fcnicode-key-of-somebody"}, KeyUnknownError),
        (bearer("rpt_live_aaaaaaaa_" + "a" * 43 + "_000000"), KeyMalformedError),
        (bearer("rpt_live_"), KeyMalformedError),
        (bearer(mint()[0]), KeyUnknownError),
    ],
)
def test_what_is_no_key_of_ours_is_refused(
    path: Path, headers: dict[str, str], error: type[Exception]
) -> None:
    add_key(path, "shop", ["events:write"])

    with pytest.raises(error) as refusal:
        Keys(path).authenticate(headers)

    assert getattr(refusal.value, "status_code") == 401  # noqa: B009
    assert "www-authenticate" in getattr(refusal.value, "headers")  # noqa: B009


def test_a_key_without_the_scope_is_told_which_one_is_missing(path: Path) -> None:
    key, _ = add_key(path, "shop", ["events:write"])
    principal = Keys(path).authenticate(bearer(key))

    with pytest.raises(MissingScopeError, match="profile:read") as refusal:
        principal.require("profile:read")

    assert refusal.value.status_code == 403


def test_an_expired_key_opens_nothing(path: Path) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    key, _ = add_key(path, "shop", ["events:write"], expires=yesterday)

    with pytest.raises(KeyEndedError):
        Keys(path).authenticate(bearer(key))


def test_a_revoked_key_stops_working_within_two_seconds(path: Path) -> None:
    key, stored = add_key(path, "shop", ["events:write"])
    clock = Clock()
    keys = Keys(path, clock)
    keys.authenticate(bearer(key))

    revoke_key(path, stored.id)
    clock.now += 2

    with pytest.raises(KeyEndedError):
        keys.authenticate(bearer(key))


def test_a_new_key_works_without_a_restart(path: Path) -> None:
    add_key(path, "shop", ["events:write"])
    clock = Clock()
    keys = Keys(path, clock)

    key, _ = add_key(path, "agents", ["profile:read"])
    clock.now += 2

    assert keys.authenticate(bearer(key)).name == "agents"


def test_a_damaged_file_locks_nobody_out_who_was_in(path: Path) -> None:
    key, _ = add_key(path, "shop", ["events:write"])
    clock = Clock()
    keys = Keys(path, clock)

    path.write_text("{")
    clock.now += 2

    assert keys.authenticate(bearer(key)).name == "shop"


def test_two_keys_of_a_name_live_side_by_side_and_no_third(path: Path) -> None:
    _, old = add_key(path, "shop", ["events:write"])
    add_key(path, "shop", ["events:write"])

    with pytest.raises(KeyRefusedError, match=old.id):
        add_key(path, "shop", ["events:write"])
    revoke_key(path, old.id)

    add_key(path, "shop", ["events:write"])


@pytest.mark.parametrize(
    ("scope", "origin"),
    [
        ("events:read", "https://shop.example"),
        ("events:write", "shop.example"),
        ("events:write", "https://shop.example/path"),
    ],
)
def test_a_mistake_in_a_new_key_is_refused(path: Path, scope: str, origin: str) -> None:
    with pytest.raises(KeyRefusedError):
        add_key(path, "shop", [scope], origins=[origin])

    assert not path.exists() or not read_keys(path).keys


def test_the_file_holds_no_key_and_is_for_its_owner_only(path: Path) -> None:
    key, _ = add_key(path, "shop", ["events:write"])

    assert key[18:61] not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {file.name for file in path.parent.iterdir()} == {"keys.json", "keys.lock"}


def test_a_missing_file_names_the_command_that_makes_one(path: Path) -> None:
    with pytest.raises(KeysFileError, match="rapport keys add"):
        Keys(path)


@given(at=st.integers(0, 67), change=st.integers(1, 61))
def test_a_mistyped_character_is_always_noticed(at: int, change: int) -> None:
    key, _ = mint()
    digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    place = digits.find(key[at])
    other = digits[(place + change) % len(digits)] if place >= 0 else "!"

    assert well_formed(key)
    assert not well_formed(key[:at] + other + key[at + 1 :])
