"""PostHog's capture API. Its clients take nothing but 200 for a success."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from rapport_ingest.api.door import receive_batch
from rapport_ingest.dialects import POSTHOG
from rapport_ingest.pipeline.accept import Accepted
from rapport_ingest.schemas import ACCEPTED, any_json

router = APIRouter(tags=["posthog"])

PATHS: Final = frozenset({"/batch", "/capture", "/e", "/i/v1/analytics/events"})
"""They authenticate by themselves: a key may be in the body."""

_STATUS_ONE: Final = {"status": 1}
_SHAPE: Final = "One event, a list of them, or an object with a list `batch`"


@router.post("/batch", summary="Take a batch", responses=ACCEPTED, openapi_extra=any_json(_SHAPE))
@router.post(
    "/capture", summary="Take an event", responses=ACCEPTED, openapi_extra=any_json(_SHAPE)
)
@router.post("/e", summary="Take an event", responses=ACCEPTED, openapi_extra=any_json(_SHAPE))
async def receive_captured(request: Request) -> Response:
    return await receive_batch(request, POSTHOG, extra=lambda _: _STATUS_ONE)


@router.post(
    "/i/v1/analytics/events",
    summary="Take a batch of a client in capture mode v1",
    responses=ACCEPTED,
    openapi_extra=any_json(_SHAPE),
)
async def receive_analytics(request: Request) -> Response:
    return await receive_batch(request, POSTHOG, extra=_results)


def _results(accepted: Accepted) -> Mapping[str, Any]:
    """One verdict for each event: `drop` reaches the client's `on_error`, and is not sent again."""
    kept = {one.event.checked.draft.id: {"result": "ok"} for one in accepted.kept}
    dropped = {
        one.id: {"result": "drop", "details": f"{one.code}: {one.detail}"}
        for one in accepted.rejected
        if one.id is not None
    }
    return {"results": kept | dropped}
