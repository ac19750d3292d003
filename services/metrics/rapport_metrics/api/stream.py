"""The headline KPIs live, as server-sent events."""

from collections.abc import AsyncIterator, Sequence
from secrets import randbelow
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Request, Response
from fastapi.sse import format_sse_event
from rapport_runtime.http.auth import Keys
from rapport_runtime.http.problems import ApiError, FieldError, ValidationFailedError
from starlette.responses import StreamingResponse

from rapport_metrics.api.kpis import Reader
from rapport_metrics.board import Board, Headline, Shown
from rapport_metrics.schemas import StreamView

router = APIRouter(prefix="/v1", tags=["kpis"])

_SCOPE: Final = "metrics:read"
_RETRY_MS: Final = (1_000, 3_000)
"""Streams that end together do not come back together."""

_NONE: Final = "the stream takes no parameters: it begins with all that there is"
_HEARTBEAT: Final = b": \n\n"


class EventsResponse(StreamingResponse):
    """Server-sent events; no proxy is to keep them back."""

    media_type = "text/event-stream"

    def __init__(self, content: AsyncIterator[bytes]) -> None:
        super().__init__(content, headers={"x-accel-buffering": "no"})


async def _take_seat(request: Request, _: Reader) -> AsyncIterator[Board]:
    if request.query_params:
        wrong = [
            FieldError(f"/{name}", _NONE, "extra_forbidden", "query")
            for name in request.query_params
        ]
        raise ValidationFailedError(_NONE, errors=wrong)
    board: Board = request.app.state.board
    board.enter()
    try:
        yield board
    finally:
        board.leave()


@router.get(
    "/stream",
    summary="Follow the headline KPIs live",
    response_class=EventsResponse,
    status_code=200,
    responses={
        200: {
            "model": StreamView,
            "description": "Server-sent events `hello`, `change` and `end`; `data` is JSON, `id` "
            "a consistency token",
        }
    },
)
async def read_stream(
    request: Request,
    board: Annotated[Board, Depends(_take_seat)],
) -> Response:
    return EventsResponse(_frames(request, board, await board.look()))


async def _frames(request: Request, board: Board, shown: Shown) -> AsyncIterator[bytes]:
    """All at first, then what changes. Nothing is made ahead of a client who reads slowly."""
    keys: Keys = request.app.state.keys
    yield _frame("hello", shown.headlines, shown.id)
    while not board.stopping.is_set():
        newer = await board.newer(shown)
        try:
            keys.authenticate(request.headers).require(_SCOPE)
        except ApiError as error:
            yield _end(error.code, resume=False)
            return
        if newer is None:
            yield _HEARTBEAT
            continue
        before = set(map(_named, shown.headlines))
        changed = [one for one in newer.headlines if _named(one) not in before]
        shown = newer
        if changed:
            yield _frame("change", changed, shown.id)
    yield _end("stopping", resume=True)


def _named(headline: Headline) -> bytes:
    return orjson.dumps(_view(headline))


def _view(headline: Headline) -> dict[str, Any]:
    kpi, point = headline
    reading = point.reading
    return {
        "kpi": kpi,
        "dims": dict(point.group),
        "num": reading.num,
        "den": reading.den,
        "value": reading.value,
        "pending": point.pending,
    }


def _frame(event: str, headlines: Sequence[Headline], id_: str) -> bytes:
    said = {"event": event, "kpis": [_view(one) for one in headlines]}
    return format_sse_event(data_str=orjson.dumps(said).decode(), event=event, id=id_)


def _end(code: str, *, resume: bool) -> bytes:
    least, most = _RETRY_MS
    said = orjson.dumps({"event": "end", "code": code, "resume": resume}).decode()
    return format_sse_event(data_str=said, event="end", retry=least + randbelow(most - least))
