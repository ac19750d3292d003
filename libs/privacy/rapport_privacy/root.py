"""What the master key opens: the keyring's root key, and the sub-keys that come from it.

The root is random, made once and stored wrapped. So a new master key costs one row, while the
blind indexes and, above all, the suppressions of erased people, whose identifiers nobody has any
more to compute them again from, keep their keys.
"""

import hmac
import os
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rapport_privacy.crypto import DataKey, TamperedError, bind, close_with, open_with
from rapport_privacy.master import SECRET_BYTES, MasterKey, derive

INDEX_BYTES: Final = 16
_ROOT_PLACE: Final = bind("keyring root")


class WrongMasterKeyError(Exception):
    """The keyring was made with another master key than the one it was opened with."""

    def __init__(self) -> None:
        super().__init__(
            "This keyring was made with another master key. Start with the key that it was made"
            " with: a new one cannot open what is there. Look at RAPPORT_KEYRING__MASTER_KEY or"
            " RAPPORT_KEYRING__MASTER_KEY_FILE, and at whether RAPPORT_KEYRING__URL names the"
            " database that belongs to it. After a rotation, the new key is the right one, except"
            " for a backup from before it."
        )


class RootKey:
    """The sub-keys of one keyring: blind index, suppression, wrapping, local sealing."""

    __slots__ = ("_index", "_local", "_macs", "_secret", "_suppression", "_wrap")

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        # Copying a keyed hash is a third cheaper than keying it, on the path of every event.
        self._index = hmac.new(derive(secret, "blind index"), digestmod="sha256")
        self._suppression = derive(secret, "suppression")
        self._wrap = AESGCM(derive(secret, "wrap data keys"))
        self._local: dict[str, AESGCM] = {}
        self._macs: dict[str, hmac.HMAC] = {}

    @classmethod
    def new(cls) -> "RootKey":
        """A random one, for a new keyring."""
        return cls(os.urandom(SECRET_BYTES))

    @classmethod
    def unwrapped(cls, master: MasterKey, wrapped: bytes) -> "RootKey":
        """Raises WrongMasterKeyError."""
        try:
            return cls(open_with(_root_cipher(master), wrapped, _ROOT_PLACE))
        except TamperedError:
            raise WrongMasterKeyError from None

    def wrapped_under(self, master: MasterKey) -> bytes:
        """As it is stored."""
        return close_with(_root_cipher(master), self._secret, _ROOT_PLACE)

    def blind_index(self, kind: str, value: str) -> bytes:
        """Finds a normalised identifier without holding it: 128 bits of HMAC-SHA256."""
        mac = self._index.copy()
        mac.update(f"{kind}|{value}".encode())
        return mac.digest()[:INDEX_BYTES]

    def suppression(self, blind_index: bytes) -> bytes:
        """What stays of an identifier after its erasure; its own key, so that it joins nothing."""
        return hmac.digest(self._suppression, blind_index, "sha256")

    def suppression_of(self, kind: str, value: str) -> bytes:
        """The same from a normalised identifier."""
        return self.suppression(self.blind_index(kind, value))

    def new_data_key(self, kid: str, subject: str | None) -> tuple[DataKey, bytes]:
        """A random key, and how it is stored."""
        secret = os.urandom(SECRET_BYTES)
        return DataKey(kid, secret), close_with(self._wrap, secret, bind("data key", kid, subject))

    def data_key(self, kid: str, subject: str | None, wrapped: bytes) -> DataKey:
        """The stored key again. Raises TamperedError when its row was altered or moved."""
        return DataKey(kid, open_with(self._wrap, wrapped, bind("data key", kid, subject)))

    def seal_local(self, purpose: str, plaintext: bytes) -> bytes:
        """Seals what belongs to no person (yet), such as a payload in quarantine."""
        return close_with(self._local_cipher(purpose), plaintext, bind("local", purpose))

    def open_local(self, purpose: str, sealed: bytes) -> bytes:
        """What `seal_local` was given for the same purpose. Raises TamperedError."""
        return open_with(self._local_cipher(purpose), sealed, bind("local", purpose))

    def mac_local(self, purpose: str, payload: bytes) -> bytes:
        """Knows a payload again that belongs to no person: 256 bits of HMAC-SHA256."""
        keyed = self._macs.get(purpose)
        if keyed is None:
            key = derive(self._secret, f"local mac: {purpose}")
            keyed = self._macs[purpose] = hmac.new(key, digestmod="sha256")
        mac = keyed.copy()
        mac.update(payload)
        return mac.digest()

    def _local_cipher(self, purpose: str) -> AESGCM:
        cipher = self._local.get(purpose)
        if cipher is None:
            cipher = self._local[purpose] = AESGCM(derive(self._secret, f"local: {purpose}"))
        return cipher

    def __repr__(self) -> str:
        return "RootKey(**********)"


def _root_cipher(master: MasterKey) -> AESGCM:
    return AESGCM(master.derive("wrap root key"))
