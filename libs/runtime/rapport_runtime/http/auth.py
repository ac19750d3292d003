"""Who is calling, and what they may do. A route that says nothing is closed.

Keys come from the keys file (`keyfile`), which is looked at again every second, so that a
revoked key stops working within two. Publishers' SDKs put the key in one of four places.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b, sha256
from hmac import compare_digest
from pathlib import Path
from secrets import token_bytes
from typing import Any, Final

import structlog
from fastapi import Security
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import Request
from starlette.types import Scope

from rapport_runtime.http.credentials import presented_keys
from rapport_runtime.http.keyfile import (
    PREFIX,
    KeysFileError,
    StoredKey,
    read_keys,
    well_formed,
)
from rapport_runtime.http.problems import ApiError

_PRINCIPAL: Final = "rapport.principal"
_LOOK_AGAIN_SECONDS: Final = 1.0
_REALM: Final = {"www-authenticate": 'Bearer realm="rapport"'}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A caller: the key it came with, by its public id, and what that key allows."""

    key_id: str
    name: str
    source: str
    scopes: frozenset[str]
    origins: frozenset[str]

    def has(self, scope: str) -> bool:
        return scope in self.scopes

    def require(self, scope: str) -> None:
        """Raises MissingScopeError."""
        if scope not in self.scopes:
            raise MissingScopeError(scope)

    def allows_origin(self, origin: str) -> bool:
        """Whether a page of this origin may use the key. A key without origins is not checked:
        it belongs to servers, which send none."""
        return not self.origins or "*" in self.origins or origin in self.origins


class KeyMissingError(ApiError):
    """No API key in the request."""

    status_code = 401

    def __init__(self) -> None:
        super().__init__(
            "no API key; send `Authorization: Bearer rpt_live_…` (or Basic with the key as user, "
            "X-Write-Key, or the body field of your SDK)",
            headers=_REALM,
        )


class KeyMalformedError(ApiError):
    """The key begins like ours, and its checksum is wrong."""

    status_code = 401

    def __init__(self) -> None:
        super().__init__("the API key is mistyped or cut off; copy it again", headers=_REALM)


class KeyUnknownError(ApiError):
    """No such key."""

    status_code = 401

    def __init__(self) -> None:
        super().__init__("the API key is not known here", headers=_REALM)


class KeyEndedError(ApiError):
    """The key was valid once."""

    status_code = 401

    def __init__(self) -> None:
        super().__init__(
            "the API key has expired or was revoked; use its successor", headers=_REALM
        )


class MissingScopeError(ApiError):
    """The key is valid, but does not allow this."""

    status_code = 403

    def __init__(self, scope: str) -> None:
        super().__init__(f"the API key lacks the scope {scope}", members={"scope": scope})


class OriginNotAllowedError(ApiError):
    """A web page used a key that does not list its origin."""

    status_code = 403

    def __init__(self) -> None:
        super().__init__("the API key does not list the origin of this page among its origins")


class Keys:
    """The live view of the keys file."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises KeysFileError when there is no readable file."""
        self._path = path
        self._clock = clock
        # The index of a key depends on this, so the time of a lookup tells nothing of a hash.
        self._salt = token_bytes(16)
        self._stamp: tuple[int, ...] = ()
        self._looked = clock()
        self._known: dict[bytes, StoredKey] = {}
        self._principals: dict[str, Principal] = {}
        self._origins: frozenset[str] = frozenset()
        self._load()

    def authenticate(self, headers: Mapping[str, str], body_key: str | None = None) -> Principal:
        """The caller behind a request: Bearer, Basic user, X-Write-Key, then the body's key.

        Raises KeyMissingError, KeyMalformedError, KeyUnknownError, KeyEndedError (all 401).
        """
        self._look_again()
        failure: ApiError = KeyMissingError()
        for key in presented_keys(headers, body_key):
            found = self._find(key)
            if isinstance(found, Principal):
                return found
            failure = found
        raise failure

    def any_allows_origin(self, origin: str) -> bool:
        """For preflights, which carry no key: whether some live key lists the origin."""
        self._look_again()
        return origin in self._origins or "*" in self._origins

    def _find(self, key: str) -> Principal | ApiError:
        if key.startswith(PREFIX) and not well_formed(key):
            return KeyMalformedError()
        digest = sha256(key.encode("utf-8", "surrogatepass")).digest()
        stored = self._known.get(self._index(digest))
        # Unknown keys are compared, too: both answers take the same time.
        expected = digest[::-1] if stored is None else bytes.fromhex(stored.sha256)
        same = compare_digest(digest, expected)
        if stored is None or not same:
            return KeyUnknownError()
        if not stored.live(datetime.now(UTC)):
            return KeyEndedError()
        return self._principals[stored.id]

    def _index(self, digest: bytes) -> bytes:
        return blake2b(digest, key=self._salt, digest_size=16).digest()

    def _look_again(self) -> None:
        now = self._clock()
        if now - self._looked < _LOOK_AGAIN_SECONDS:
            return
        self._looked = now
        try:
            if self._stamp_of_file() != self._stamp:
                self._load()
        except (KeysFileError, OSError) as error:
            # A file in the middle of a bad edit must not lock everybody out.
            _log.error("keys file unreadable, keeping the keys known before", exc_info=error)

    def _load(self) -> None:
        stamp = self._stamp_of_file() if self._path.exists() else ()
        keys = read_keys(self._path).keys
        now = datetime.now(UTC)
        self._known = {self._index(bytes.fromhex(key.sha256)): key for key in keys}
        self._principals = {key.id: _principal(key) for key in keys}
        self._origins = frozenset(origin for key in keys if key.live(now) for origin in key.origins)
        self._stamp = stamp

    def _stamp_of_file(self) -> tuple[int, ...]:
        stat = self._path.stat()
        return (stat.st_mtime_ns, stat.st_size, stat.st_ino)


class _Guard(SecurityBase):
    """A dependency that lets callers with one scope through."""

    def __init__(self, scope: str) -> None:
        self.model = HTTPBearer(description="An API key: `Authorization: Bearer rpt_live_…`")
        self.scheme_name = "ApiKey"
        self.scope = scope

    async def __call__(self, request: Request) -> Principal:
        keys: Keys = request.app.state.keys
        principal = keys.authenticate(request.headers)
        admit(request.scope, principal, self.scope)
        return principal


def requires(scope: str) -> Any:  # noqa: ANN401 - what FastAPI's own Security() is declared as
    """The default of every route: `principal: Annotated[Principal, requires("profile:read")]`."""
    return Security(_Guard(scope), scopes=[scope])


def admit(scope: Scope, principal: Principal, needed: str) -> None:
    """Check scope and origin, and leave the principal with the request for later layers.

    For routes that authenticate by themselves, because the key may be in the body.
    Raises MissingScopeError, OriginNotAllowedError (403).
    """
    scope[_PRINCIPAL] = principal
    principal.require(needed)
    for name, value in scope["headers"]:
        if name == b"origin" and not principal.allows_origin(value.decode("latin-1").lower()):
            raise OriginNotAllowedError


def admitted(scope: Scope) -> Principal | None:
    """Who was authenticated for this request, if anybody was."""
    principal: Principal | None = scope.get(_PRINCIPAL)
    return principal


def _principal(key: StoredKey) -> Principal:
    return Principal(
        key_id=key.id,
        name=key.name,
        source=key.source or key.name,
        scopes=frozenset(key.scopes),
        origins=frozenset(key.origins),
    )
