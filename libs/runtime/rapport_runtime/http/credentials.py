"""Where a request carries its API key: publishers' SDKs know four places."""

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Final

_LONGEST_KEY: Final = 512


def presented_keys(headers: Mapping[str, str], body_key: str | None = None) -> Iterator[str]:
    """The keys in a request, the explicit ones first. `id:secret` also counts as `secret`."""
    candidates = (
        _from_authorization(headers.get("authorization", "")),
        headers.get("x-write-key", ""),
        body_key or "",
    )
    for candidate in candidates:
        if not candidate or len(candidate) > _LONGEST_KEY:
            continue
        yield candidate
        if secret := candidate.partition(":")[2]:
            yield secret


def _from_authorization(header: str) -> str:
    scheme, _, credentials = header.partition(" ")
    match scheme.lower():
        case "bearer":
            return credentials.strip()
        case "basic":
            return _basic_user(credentials.strip())
        case _:
            return ""


def _basic_user(credentials: str) -> str:
    """The user part: SDKs send `key:` with an empty password."""
    if len(credentials) > 2 * _LONGEST_KEY:
        return ""
    try:
        user, _, _ = b64decode(credentials, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return user
