"""Live changes of one customer, as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from secrets import randbelow
from time import monotonic
from typing import Annotated, Any, Final

import orjson
import structlog
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.sse import format_sse_event
from pydantic import BaseModel, ConfigDict, Field
from rapport_privacy.keyring import KeyringUnavailableError
from rapport_runtime.failure import DRIVER, is_environment
from rapport_runtime.http.auth import Keys
from rapport_runtime.http.problems import ApiError
from rapport_runtime.http.unavailable import DatabaseAwayError
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from rapport_profile.api.following import Following
from rapport_profile.api.live_view import LiveView
from rapport_profile.api.people import CustomerErasedError, locate
from rapport_profile.api.profiles import RefPath, parse_include
from rapport_profile.api.unavailable import KeyringAwayError
from rapport_profile.api.visit import OpenVisit
from rapport_profile.live import Hub, Watch
from rapport_profile.position import Position
from rapport_profile.ref import parse_ref
from rapport_profile.schemas.stream import StreamChange, StreamEnd, StreamErased, StreamHello

router = APIRouter(prefix="/v1/profiles", tags=["profiles"])

_RETRY_MS: Final = (1_000, 3_000)
"""Streams that end together do not come back together."""

_FOR_GOOD: Final = frozenset({"key_unknown", "key_ended", "missing_scope", "customer_not_found"})
"""Whoever resumes after these is refused at once."""

_log = structlog.get_logger(__name__)


class SlowClientError(ApiError):
    """The client did not take what it was sent in time."""

    status_code = 408

    def __init__(self, seconds: float) -> None:
        super().__init__(f"an event was not taken within {seconds:g} s; resume when you can")


class LiveResponse(StreamingResponse):
    """Server-sent events, of which the source is told when the client leaves.

    Starlette would cancel it, wherever it is: in the middle of a transaction, too.
    """

    media_type = "text/event-stream"

    def __init__(self, content: AsyncIterator[bytes], watch: Watch) -> None:
        super().__init__(content, headers={"x-accel-buffering": "no"})
        self._watch = watch

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        leaving = asyncio.create_task(self.listen_for_disconnect(receive))
        leaving.add_done_callback(lambda _: self._watch.leave())
        try:
            await self.stream_response(send)
        finally:
            leaving.cancel()


class StreamQuery(BaseModel):
    """The query string of the stream route."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    include: str | None = Field(
        default=None,
        max_length=500,
        description="Parts of the view, comma-separated, as for reading the customer",
        examples=["identities,tickets"],
    )
    last_event_id: str | None = Field(
        default=None,
        description="Resume after this event, for clients that cannot send the header",
    )


async def _take_seat(request: Request, visit: OpenVisit) -> AsyncIterator[Watch]:
    hub: Hub = request.app.state.hub
    watch = hub.enter(visit.principal.key_id)
    try:
        yield watch
    finally:
        hub.leave(watch)


@router.get(
    "/{ref:path}/stream",
    summary="Follow one customer live",
    response_class=LiveResponse,
    status_code=200,
    responses={
        200: {
            "model": StreamHello | StreamChange | StreamErased | StreamEnd,
            "description": "Server-sent events; `data` is JSON, `id` is opaque",
        }
    },
)
async def read_stream(
    request: Request,
    ref: RefPath,
    visit: OpenVisit,
    watch: Annotated[Watch, Depends(_take_seat)],
    query: Annotated[StreamQuery, Query()],
    last_event_id: Annotated[
        str | None, Header(description="Resume after this event, without a gap")
    ] = None,
) -> Response:
    named, parts = parse_ref(ref), parse_include(query.include)
    given = last_event_id or query.last_event_id
    position = Position.decode(given) if given else None
    keys: Keys = request.app.state.keys
    following = Following(
        visit=visit,
        hub=request.app.state.hub,
        watch=watch,
        named=named,
        anchor=await locate(visit, named),
        shown=LiveView(visit, parts),
        caller=lambda: keys.authenticate(request.headers),
    )
    hello = await following.hello(position)
    return LiveResponse(_frames(following, hello), watch)


async def _frames(following: Following, hello: bytes) -> AsyncIterator[bytes]:
    """All events, until the client goes or there is a reason to end."""
    began, reason = monotonic(), "client_gone"
    try:
        yield hello
        async for frame in _taken_in_time(following):
            yield frame
    except CustomerErasedError:
        reason = "erased"
        yield _frame({"event": "erased", "subject": following.anchor})
    except (ApiError, KeyringUnavailableError, *DRIVER, OSError) as error:
        ending = _ending(error)
        reason = ending.code
        yield _end(ending)
    finally:
        following.hub.ends.labels(reason).inc()
        _log.debug("stream ended", reason=reason, seconds=round(monotonic() - began, 3))


async def _taken_in_time(following: Following) -> AsyncIterator[bytes]:
    """Nothing is made ahead of the client, so a slow one holds one event, and no queue.

    Raises SlowClientError.
    """
    most = following.hub.settings.slow_seconds
    async for frame in following.changes():
        handed_at = monotonic()
        yield frame
        if monotonic() - handed_at > most:
            raise SlowClientError(most)


def _ending(error: Exception) -> ApiError:
    """What a caller would be answered now. Raises the error itself when it is a bug."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, KeyringUnavailableError):
        return KeyringAwayError()
    if not is_environment(error):
        raise error
    return DatabaseAwayError()


def _end(why: ApiError) -> bytes:
    least, most = _RETRY_MS
    said = {
        "event": "end", "code": why.code, "detail": why.detail,
        "resume": why.code not in _FOR_GOOD,
    }  # fmt: skip
    return _frame(said, retry=least + randbelow(most - least))


def _frame(said: dict[str, Any], *, retry: int | None = None) -> bytes:
    return format_sse_event(data_str=orjson.dumps(said).decode(), event=said["event"], retry=retry)
