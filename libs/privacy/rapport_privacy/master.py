"""The keyring's master key: the one secret that lives outside of any database."""

import base64
import stat
from itertools import pairwise
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_BYTES: Final = 32

_HOW_TO_MAKE_ONE: Final = "Make one with: openssl rand -base64 32"
_FEWEST_DISTINCT_BYTES: Final = 12
"""32 random bytes have fewer than this once in 10^24 times; repeated ones nearly always do."""


class InvalidMasterKeyError(ValueError):
    """The text is no master key, or one that anybody could guess. Says how to make one."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"The keyring's master key {problem}. {_HOW_TO_MAKE_ONE}")


class MasterKey:
    """Opens the keyring. Never shown, never stored by us."""

    __slots__ = ("_secret", "exposed")

    def __init__(self, secret: bytes, *, exposed: bool = False) -> None:
        """`exposed`: it was read from a file that others on this machine can read."""
        if len(secret) != SECRET_BYTES:
            raise InvalidMasterKeyError(f"has {len(secret)} bytes instead of {SECRET_BYTES}")
        if len(set(secret)) < _FEWEST_DISTINCT_BYTES or _is_typed(secret) or _is_sequence(secret):
            raise InvalidMasterKeyError("is not random: it looks like a default or a typed text")
        self._secret = secret
        self.exposed = exposed

    @classmethod
    def from_base64(cls, text: str, *, exposed: bool = False) -> "MasterKey":
        """The key from the text of an environment variable. Raises InvalidMasterKeyError."""
        if not text.strip():
            raise InvalidMasterKeyError("is empty")
        try:
            secret = base64.b64decode(text.strip(), validate=True)
        except ValueError:
            raise InvalidMasterKeyError("is not base64") from None
        return cls(secret, exposed=exposed)

    @classmethod
    def from_file(cls, path: Path) -> "MasterKey":
        """The key from a file that holds base64, such as a mounted secret."""
        try:
            text = path.read_text(encoding="ascii")
            others_can_read = bool(path.stat().st_mode & stat.S_IROTH)
        except (OSError, UnicodeDecodeError) as error:
            reason = f"cannot be read from {path} ({type(error).__name__})"
            raise InvalidMasterKeyError(reason) from error
        return cls.from_base64(text, exposed=others_can_read)

    def derive(self, purpose: str) -> bytes:
        """The sub-key for one purpose."""
        return derive(self._secret, purpose)

    def __repr__(self) -> str:
        return "MasterKey(**********)"


def derive(secret: bytes, purpose: str) -> bytes:
    """A sub-key by HKDF-SHA256 (RFC 5869)."""
    info = f"rapport keyring v1: {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=SECRET_BYTES, salt=None, info=info).derive(secret)


def _is_typed(secret: bytes) -> bool:
    """A passphrase or a hexadecimal text put through base64 has less in it than its length."""
    return all(32 <= byte < 127 for byte in secret)


def _is_sequence(secret: bytes) -> bool:
    steps = {(after - before) % 256 for before, after in pairwise(secret)}
    return len(steps) == 1
