"""Segment's HTTP API, as Segment's, RudderStack's and Jitsu's clients speak it."""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from rapport_ingest.api.door import receive_batch
from rapport_ingest.dialects import SEGMENT
from rapport_ingest.schemas import ACCEPTED, any_json

router = APIRouter(tags=["sdk"])

_BATCHES: Final = ("batch", "import", "b")
_CALLS: Final = {
    **{name: name for name in ("track", "identify", "page", "screen", "group", "alias")},
    **{name[0]: name for name in ("track", "identify", "page", "screen", "group", "alias")},
}

PATHS: Final = frozenset(
    {f"/v1/{name}" for name in (*_BATCHES, *_CALLS)} | {"/api/s/{call}", "/api/s/s2s/{call}"}
)
"""They authenticate by themselves: a key may be in the body."""

Route = Callable[[Request], Awaitable[Response]]


def _receiving(call: str | None, *, historical: bool = False) -> Route:
    async def receive(request: Request) -> Response:
        return await receive_batch(request, SEGMENT, call=call, historical=historical)

    return receive


def _add(path: str, summary: str, route: Route) -> None:
    router.add_api_route(
        path,
        route,
        methods=["POST"],
        summary=summary,
        name=path.removeprefix("/v1/"),
        responses=ACCEPTED,
        openapi_extra=any_json("One event, or an object with a list `batch`"),
    )


for _name in _BATCHES:
    _add(f"/v1/{_name}", "Take a batch of events", _receiving(None, historical=_name == "import"))
for _name, _call in _CALLS.items():
    _add(f"/v1/{_name}", f"Take one {_call} event", _receiving(_call))


@router.post(
    "/api/s/{call}",
    summary="Take one event of a Jitsu client",
    responses=ACCEPTED,
    openapi_extra=any_json("One event in Segment's shape"),
)
@router.post(
    "/api/s/s2s/{call}",
    summary="Take one event of a Jitsu client on a server",
    responses=ACCEPTED,
    openapi_extra=any_json("One event in Segment's shape"),
)
async def receive_jitsu(request: Request, call: str) -> Response:
    return await receive_batch(request, SEGMENT, call=call)
