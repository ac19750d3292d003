"""How a request is let in: who sends, in which dialect, and what it is answered."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from rapport_privacy.keyring import KeyringUnavailableError
from rapport_runtime.http.auth import Keys, MissingScopeError, Principal, admit
from rapport_runtime.http.body import read_body
from rapport_runtime.http.problems import ApiError
from rapport_runtime.spool import SpoolFullError
from starlette.requests import Request
from starlette.responses import Response

from rapport_ingest.adapters.reader import without_keys
from rapport_ingest.api.answers import answer
from rapport_ingest.canonical import UnreadableBodyError, parse
from rapport_ingest.dialects import Dialect, Readings
from rapport_ingest.draft import Arrival, Rejection
from rapport_ingest.house import House
from rapport_ingest.pipeline.accept import Accepted, Delivery
from rapport_ingest.pipeline.permission import PUBLISHER, Permission, permission_of

MOST_EVENTS: Final = 5_000

_BODY_KEYS: Final = ("writeKey", "api_key", "apiKey", "token")

Extra = Callable[[Accepted], Mapping[str, Any]]
"""What a dialect's own clients look for in an answer."""


class BodyUnreadableError(ApiError):
    """The body is no JSON, so there is no event in it that could be refused by itself."""

    code = "unreadable_body"


class KeyringAwayError(ApiError):
    """Nothing can be encrypted at the moment, so nothing is taken."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__(
            "events cannot be encrypted at the moment, and are never kept in clear; send again "
            "after Retry-After",
            headers={"retry-after": "2"},
        )


class SpoolIsFullError(ApiError):
    """The broker is away, and the disk that stands in for it is full."""

    status_code = 429
    code = "spool_full"

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            "the broker is away and its stand-in on disk is full; send again after Retry-After",
            headers={"retry-after": str(min(max(retry_after, 1), 5))},
        )


class TooManyEventsError(ApiError):
    """More events in one request than it is wise to answer at once."""

    status_code = 413

    def __init__(self, count: int) -> None:
        super().__init__(f"the batch has {count} events; send at most {MOST_EVENTS} in one request")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends, and what it may send."""

    principal: Principal
    permission: Permission

    def arrival(self, *, historical: bool = False) -> Arrival:
        """The arrival of a request of this caller, at this moment."""
        source = self.principal.source
        return Arrival(
            source=source if source.startswith("/") else f"/{source}",
            received=datetime.now(UTC),
            historical=historical,
        )


async def receive_batch(
    request: Request,
    dialect: Dialect,
    *,
    call: str | None = None,
    historical: bool = False,
    extra: Extra | None = None,
) -> Response:
    """Take the events of one request in an SDK's dialect; the key may be in the body."""
    body = await read_body(request)
    with told_to_callers():
        caller, parsed = authenticate_by_body(request, body)
        arrival = caller.arrival(historical=historical or is_historical(request))
        readings = with_raw(dialect.read(parsed, arrival, call), parsed)
        delivery = Delivery(
            adapter=dialect.name,
            arrival=arrival,
            permission=caller.permission,
            frame=dialect.frame(parsed, call),
        )
        return await deliver(request, readings, delivery, extra)


def with_raw(readings: Readings, whole: object) -> Readings:
    """A refusal that points at no event of its own is about the whole request: kept with it."""
    if isinstance(whole, dict):
        whole = without_keys(whole)
    return [
        replace(one, raw=whole) if isinstance(one, Rejection) and one.raw is None else one
        for one in readings
    ]


async def deliver(
    request: Request, readings: Readings, delivery: Delivery, extra: Extra | None = None
) -> Response:
    """Accept what was read, and tell the publisher what became of it."""
    if len(readings) > MOST_EVENTS:
        raise TooManyEventsError(len(readings))
    house: House = request.app.state.house
    accepted = await house.accept(readings, delivery)
    return answer(
        accepted, house.line.topic, debug=wants_debug(request), extra=extra and extra(accepted)
    )


def authenticate(request: Request, body_key: str | None = None) -> Caller:
    """Raises the 401s and 403s of `rapport_runtime.http.auth`."""
    keys: Keys = request.app.state.keys
    principal = keys.authenticate(request.headers, body_key)
    permission = permission_of(principal.scopes)
    if permission is None:
        raise MissingScopeError("events:write")
    admit(
        request.scope,
        principal,
        "events:write" if permission is PUBLISHER else "notes:write",
    )
    return Caller(principal, permission)


def authenticate_by_body(request: Request, body: bytes) -> tuple[Caller, object]:
    """The caller, by a key in the headers or the body, and the parsed body.

    Raises `UnreadableBodyError`, and what `authenticate` raises.
    """
    try:
        parsed = parse(body)
    except UnreadableBodyError:
        # Who has no key learns that first, whatever the body is.
        authenticate(request)
        raise
    return authenticate(request, _body_key(parsed)), parsed


@contextmanager
def told_to_callers() -> Iterator[None]:
    """What goes wrong on the way, as the answer that the publisher can act on."""
    try:
        yield
    except UnreadableBodyError as error:
        raise BodyUnreadableError(error.detail) from error
    except KeyringUnavailableError as error:
        raise KeyringAwayError from error
    except SpoolFullError as error:
        raise SpoolIsFullError(error.retry_after) from error


def wants_debug(request: Request) -> bool:
    return request.query_params.get("debug") in {"1", "true"}


def is_historical(request: Request) -> bool:
    """Back-filled history: it changes state, and never triggers anything."""
    return request.query_params.get("historical") in {"1", "true"}


def _body_key(parsed: object) -> str | None:
    if not isinstance(parsed, dict):
        return None
    found = (parsed.get(name) for name in _BODY_KEYS)
    return next((key for key in found if isinstance(key, str)), None)
