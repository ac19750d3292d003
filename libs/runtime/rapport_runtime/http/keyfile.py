"""API keys on disk: one JSON file that all services share and that the command line edits.

Only SHA-256 hashes are kept; a key is shown once, when it is made. The file is replaced
atomically and readable by its owner only.
"""

import fcntl
import os
import secrets
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

SCOPES: Final = frozenset(
    {
        "events:write",
        "profile:read",
        "profile:pii",
        "notes:write",
        "feedback:read",
        "feedback:write",
        "rules:read",
        "rules:write",
        "metrics:read",
        "ops:read",
        "ops:write",
        "privacy:erase",
    }
)

MOST_LIVE_KEYS: Final = 2
"""Live keys of one name: the old and the new one while a publisher changes over."""

PREFIX: Final = "rpt_live_"
_ID_LENGTH: Final = 8
_SECRET_LENGTH: Final = 43
_CRC_LENGTH: Final = 6
_KEY_LENGTH: Final = len(PREFIX) + _ID_LENGTH + 1 + _SECRET_LENGTH + 1 + _CRC_LENGTH
_BASE36: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_BASE62: Final = _BASE36 + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SHORTEST_FOREIGN: Final = 16


class KeysFileError(Exception):
    """The keys file is missing or unreadable; the message names the fix."""


class KeyRefusedError(Exception):
    """A key cannot be added, and why."""


class StoredKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key as the file keeps it. `id` is public; times are aware."""

    id: str
    name: str
    sha256: str
    scopes: list[str]
    created: datetime
    source: str | None = None
    origins: list[str] = []
    expires: datetime | None = None
    revoked: datetime | None = None

    def live(self, now: datetime) -> bool:
        return self.revoked is None and (self.expires is None or now < self.expires)


class KeysFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    version: int = 1
    keys: list[StoredKey] = []


def mint() -> tuple[str, str]:
    """A new key and its public id: `rpt_live_<id8>_<43 url-safe>_<crc6>`, 256 random bits."""
    key_id = "".join(secrets.choice(_BASE36) for _ in range(_ID_LENGTH))
    body = f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"
    return f"{body}_{_crc(body)}", key_id


def well_formed(key: str) -> bool:
    """Whether a key with our prefix was typed or copied completely."""
    return len(key) == _KEY_LENGTH and key.isascii() and key.endswith(f"_{_crc(key[:-7])}")


def hashed(key: str) -> str:
    """What is stored instead of the key. The key has 256 random bits, so one round is enough."""
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def read_keys(path: Path) -> KeysFile:
    """Raises KeysFileError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=KeysFile)
    except FileNotFoundError:
        raise KeysFileError(
            f"there is no keys file at {path}; make one with `rapport keys add`"
        ) from None
    except (OSError, msgspec.DecodeError) as error:
        raise KeysFileError(f"the keys file {path} is unreadable: {error}") from None


def add_key(
    path: Path,
    name: str,
    scopes: Sequence[str],
    *,
    source: str | None = None,
    origins: Sequence[str] = (),
    expires: datetime | None = None,
) -> tuple[str, StoredKey]:
    """Make a key and store it; returns the key itself, which nobody can read again.

    Raises KeyRefusedError for unknown scopes, malformed origins or a third live key of the name.
    """
    key, key_id = mint()
    stored = _stored(key, key_id, name, scopes, source=source, origins=origins, expires=expires)
    _append(path, stored)
    return key, stored


def import_key(
    path: Path,
    key: str,
    name: str,
    scopes: Sequence[str],
    *,
    source: str | None = None,
    origins: Sequence[str] = (),
) -> StoredKey:
    """Take over a write key that publishers already have built in."""
    if len(key) < _SHORTEST_FOREIGN:
        raise KeyRefusedError(f"a key needs at least {_SHORTEST_FOREIGN} characters")
    stored = _stored(key, hashed(key)[:_ID_LENGTH], name, scopes, source=source, origins=origins)
    _append(path, stored)
    return stored


def widen_key(path: Path, key_id: str, scopes: Sequence[str]) -> StoredKey:
    """Let a key do more than it could. Raises KeyRefusedError if there is none."""
    with _edited(path) as keys:
        for place, stored in enumerate(keys):
            if stored.id == key_id:
                wider = sorted({*stored.scopes, *scopes})
                keys[place] = msgspec.structs.replace(stored, scopes=wider)
                return keys[place]
    raise KeyRefusedError(f"there is no key {key_id}; `rapport keys list` shows them")


def revoke_key(path: Path, key_id: str) -> StoredKey:
    """End a key for ever; services follow within 2 s. Raises KeyRefusedError if there is none."""
    with _edited(path) as keys:
        for place, stored in enumerate(keys):
            if stored.id == key_id:
                keys[place] = msgspec.structs.replace(stored, revoked=datetime.now(UTC))
                return keys[place]
    raise KeyRefusedError(f"there is no key {key_id}; `rapport keys list` shows them")


def _stored(
    key: str,
    key_id: str,
    name: str,
    scopes: Sequence[str],
    *,
    source: str | None,
    origins: Sequence[str],
    expires: datetime | None = None,
) -> StoredKey:
    if unknown := sorted(set(scopes) - SCOPES):
        raise KeyRefusedError(f"unknown scope(s) {', '.join(unknown)}; known: {sorted(SCOPES)}")
    for origin in origins:
        if origin != "*" and not _is_origin(origin):
            raise KeyRefusedError(f"{origin!r} is no origin; write it like https://shop.example")
    return StoredKey(
        id=key_id,
        name=name,
        sha256=hashed(key),
        scopes=sorted(scopes),
        created=datetime.now(UTC),
        source=source,
        origins=list(origins),
        expires=expires,
    )


def _is_origin(text: str) -> bool:
    scheme, separator, host = text.partition("://")
    return bool(separator and scheme and host) and "/" not in host and text == text.lower()


def _append(path: Path, stored: StoredKey) -> None:
    with _edited(path) as keys:
        if any(known.sha256 == stored.sha256 for known in keys):
            raise KeyRefusedError("this key is already in the file")
        alive = [
            known for known in keys if known.name == stored.name and known.live(stored.created)
        ]
        if len(alive) >= MOST_LIVE_KEYS:
            raise KeyRefusedError(
                f"{stored.name!r} already has {len(alive)} live keys "
                f"({', '.join(known.id for known in alive)}); revoke one first"
            )
        keys.append(stored)


@contextmanager
def _edited(path: Path) -> Iterator[list[StoredKey]]:
    """The keys of the file, to be changed in place; written back when the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        keys = list(read_keys(path).keys) if path.exists() else []
        yield keys
        _replace(path, msgspec.json.format(msgspec.json.encode(KeysFile(keys=keys)), indent=2))


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _crc(text: str) -> str:
    value = zlib.crc32(text.encode())
    digits = []
    for _ in range(_CRC_LENGTH):
        value, digit = divmod(value, len(_BASE62))
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))
