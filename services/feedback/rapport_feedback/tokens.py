"""Signed links to one survey: who has the link may answer, until it expires.

A token is 23 bytes and the first 16 of their keyed hash: version, survey, expiry. The key comes
from the keyring, so there is no further secret to keep, and a token of another deployment is
none here. Tokens are never stored and never logged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Final
from uuid import UUID

from rapport_privacy.crypto import TamperedError, decode_base64, encode_base64
from rapport_privacy.keyring import Keyring

from rapport_feedback.settings import FeedbackSettings

LENGTH: Final = 52
"""Characters of a token: all their bits count, so there is one spelling only."""

_PURPOSE: Final = "survey link v1"
_VERSION: Final = b"\x01"
_SURVEY_END: Final = 17
_PAYLOAD_BYTES: Final = 23
_MAC_BYTES: Final = 16
_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)

Mac = Callable[[str, bytes], bytes]
"""`Keyring.mac_local`."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a genuine token lets its holder do: answer this survey until then."""

    survey: str
    expires: datetime


def make_link(settings: FeedbackSettings, keyring: Keyring, survey: str, expires: datetime) -> str:
    """The address that a customer opens. `survey` is the UUID of an invitation."""
    return f"{settings.public_url.rstrip('/')}/s/{make_token(keyring.mac_local, survey, expires)}"


def make_token(mac: Mac, survey: str, expires: datetime) -> str:
    """In whole seconds."""
    seconds = int(expires.timestamp()).to_bytes(_PAYLOAD_BYTES - _SURVEY_END, "big")
    payload = _VERSION + UUID(survey).bytes + seconds
    return encode_base64(payload + _mac_of(mac, payload))


def read_token(mac: Mac, token: str) -> Link | None:
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
    if not compare_digest(given, _mac_of(mac, payload)) or not payload.startswith(_VERSION):
        return None
    seconds = int.from_bytes(payload[_SURVEY_END:], "big")
    return Link(
        survey=str(UUID(bytes=payload[1:_SURVEY_END])),
        expires=datetime.fromtimestamp(min(seconds, int(_LATEST.timestamp())), UTC),
    )


def _mac_of(mac: Mac, payload: bytes) -> bytes:
    return mac(_PURPOSE, payload)[:_MAC_BYTES]
