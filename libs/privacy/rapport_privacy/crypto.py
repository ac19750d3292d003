"""Keys, and what is done with them. Pure functions over keys and bytes; nothing here stores any.

Everything sealed is AES-256-GCM with a random 96-bit nonce, bound to where it belongs by its
additional data, so that a blob moved to another event or person opens as little as a forged one.
"""

import hmac
import os
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from typing import Any, Final, Protocol, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rapport_privacy.master import InvalidMasterKeyError, MasterKey

__all__ = [
    "ERASED",
    "DataKey",
    "Erased",
    "InvalidMasterKeyError",
    "MasterKey",
    "TamperedError",
    "fingerprint",
    "seal",
    "unseal",
]

NONCE_BYTES: Final = 12
BLOB_VERSION: Final = 1

_TO_URL_ALPHABET: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL_ALPHABET: Final = bytes.maketrans(b"-_", b"+/")
_ABSENT: Final = b"\xff\xff\xff\xff"


class TamperedError(Exception):
    """What was sealed was changed, moved to another place, or sealed under another key."""


@final
class Erased:
    """Stands where a key or a value would be, had its person not been erased."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ERASED"


ERASED: Final = Erased()


class SealedBlob(Protocol):
    """What `seal` made, as an object (`rapport_events.wire.Sealed` is one)."""

    @property
    def v(self) -> int: ...
    @property
    def kid(self) -> str: ...
    @property
    def n(self) -> str: ...
    @property
    def c(self) -> str: ...


class DataKey:
    """One person's key: who has it reads what it sealed, and once it is gone nobody does."""

    __slots__ = ("_cipher", "_mac_key", "_secret", "kid")

    def __init__(self, kid: str, secret: bytes) -> None:
        self.kid = kid
        self._secret = secret
        # Made when first used: a cipher is 3 KB, and most keys that are looked up only link people.
        self._cipher: AESGCM | None = None
        self._mac_key: bytes | None = None

    def seal(self, plaintext: bytes, bound_to: bytes) -> bytes:
        """Nonce and ciphertext."""
        return close_with(self._cipher or self._make_cipher(), plaintext, bound_to)

    def unseal(self, sealed: bytes, bound_to: bytes) -> bytes:
        """The plaintext again. Raises TamperedError."""
        return open_with(self._cipher or self._make_cipher(), sealed, bound_to)

    def mac(self, payload: bytes) -> bytes:
        """A keyed hash, in another domain than the ciphertexts."""
        if self._mac_key is None:
            self._mac_key = hmac.digest(self._secret, b"rapport data key: fingerprint", "sha256")
        return hmac.digest(self._mac_key, payload, "sha256")

    def _make_cipher(self) -> AESGCM:
        self._cipher = AESGCM(hmac.digest(self._secret, b"rapport data key: seal", "sha256"))
        return self._cipher

    def __repr__(self) -> str:
        return f"DataKey(kid={self.kid!r}, **********)"


def bind(*parts: str | None) -> bytes:
    """Additional data that no other sequence of parts gives: each is preceded by its length."""
    fields = [b"rapport/1"]
    for part in parts:
        if part is None:
            fields.append(_ABSENT)
        else:
            text = part.encode()
            fields += (len(text).to_bytes(4, "big"), text)
    return b"".join(fields)


def close_with(cipher: AESGCM, plaintext: bytes, bound_to: bytes) -> bytes:
    """Nonce and ciphertext."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plaintext, bound_to)


def open_with(cipher: AESGCM, sealed: bytes, bound_to: bytes) -> bytes:
    """What `close_with` was given. Raises TamperedError."""
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError):
        raise TamperedError("the seal is broken") from None


def seal(
    key: DataKey, *, subject: str | None, event_id: str, type_: str, plaintext: bytes
) -> dict[str, Any]:
    """The personal part of one event as the log has it: `v`, `kid`, and base64url `n` and `c`."""
    sealed = key.seal(plaintext, bind(subject, event_id, type_, key.kid))
    return {
        "v": BLOB_VERSION,
        "kid": key.kid,
        "n": encode_base64(sealed[:NONCE_BYTES]),
        "c": encode_base64(sealed[NONCE_BYTES:]),
    }


def unseal(
    key: DataKey,
    blob: SealedBlob | Mapping[str, Any],
    *,
    subject: str | None,
    event_id: str,
    type_: str,
) -> bytes:
    """What `seal` was given, if every bit of the blob and of its place is the same.

    Raises TamperedError otherwise, also when the blob names another key than `key`.
    """
    version, kid, nonce, ciphertext = _parts(blob)
    if version != BLOB_VERSION:
        raise TamperedError(f"a blob of version {version} cannot be read here")
    if kid != key.kid:
        raise TamperedError("the blob names another key")
    sealed = decode_base64(nonce, length=NONCE_BYTES) + decode_base64(ciphertext)
    return key.unseal(sealed, bind(subject, event_id, type_, kid))


def fingerprint(key: DataKey, payload: bytes) -> str:
    """Tells equal payloads of one person, and says nothing to those who lack the key.

    128 bits of HMAC-SHA256, base64url without padding: 22 characters.
    """
    return encode_base64(key.mac(payload)[:16])


def encode_base64(data: bytes) -> str:
    """base64url without padding."""
    text = b2a_base64(data, newline=False).translate(_TO_URL_ALPHABET)
    return text.rstrip(b"=").decode("ascii")


def decode_base64(text: str, *, length: int | None = None) -> bytes:
    """The inverse, for exactly one spelling: Python's decoder skips stray characters and bits."""
    try:
        raw = text.encode("ascii").translate(_FROM_URL_ALPHABET)
        data = a2b_base64(raw + b"=" * (-len(raw) % 4))
    except ValueError:
        raise TamperedError("the blob is not base64url") from None
    if encode_base64(data) != text or (length is not None and len(data) != length):
        raise TamperedError("the blob is not base64url")
    return data


def _parts(blob: SealedBlob | Mapping[str, Any]) -> tuple[int, str, str, str]:
    if isinstance(blob, Mapping):
        parts = (blob.get("v"), blob.get("kid"), blob.get("n"), blob.get("c"))
    else:
        parts = (blob.v, blob.kid, blob.n, blob.c)
    match parts:
        case (int() as version, str() as kid, str() as nonce, str() as ciphertext):
            return version, kid, nonce, ciphertext
    raise TamperedError("the blob lacks a part")
