"""Signed links: who has one may do one thing with one thing, until it expires.

A token is 23 bytes and the first 16 of their keyed hash: version, id, expiry. The key comes from
the keyring, so there is no further secret to keep, and a token of another deployment, or one for
something else, is none here. Tokens are never stored and never logged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Final
from uuid import UUID

from rapport_privacy.crypto import TamperedError, decode_base64, encode_base64

LENGTH: Final = 52
"""Characters of a token: all their bits count, so there is one spelling only."""

_VERSION: Final = b"\x01"
_ID_END: Final = 17
_PAYLOAD_BYTES: Final = 23
_MAC_BYTES: Final = 16
_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)

Mac = Callable[[str, bytes], bytes]
"""`Keyring.mac_local`: of a purpose and a payload."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a genuine token is about, and until when."""

    id: str
    expires: datetime


def make_token(mac: Mac, purpose: str, id_: str, expires: datetime) -> str:
    """In whole seconds. `id_` is a UUID; `purpose` says what may be done with it."""
    seconds = int(expires.timestamp()).to_bytes(_PAYLOAD_BYTES - _ID_END, "big")
    payload = _VERSION + bytes.fromhex(id_.replace("-", "")) + seconds
    return encode_base64(payload + mac(purpose, payload)[:_MAC_BYTES])


def read_token(mac: Mac, purpose: str, token: str) -> Link | None:
    """None for whatever we did not make: mistyped, cut off, forged, of another deployment.

    An expired token is genuine: whoever opens it is told so.
    """
    if len(token) != LENGTH:
        return None
    try:
        raw = decode_base64(token, length=_PAYLOAD_BYTES + _MAC_BYTES)
    except TamperedError:
        return None
    payload, given = raw[:_PAYLOAD_BYTES], raw[_PAYLOAD_BYTES:]
    ours = mac(purpose, payload)[:_MAC_BYTES]
    if not compare_digest(given, ours) or not payload.startswith(_VERSION):
        return None
    seconds = int.from_bytes(payload[_ID_END:], "big")
    return Link(
        id=str(UUID(bytes=payload[1:_ID_END])),
        expires=datetime.fromtimestamp(min(seconds, int(_LATEST.timestamp())), UTC),
    )
