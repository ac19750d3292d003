"""For operators: what waits for its beginning."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from rapport_runtime.http.auth import Principal, requires
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.views import answer
from rapport_runtime.pool import Pool, snapshot

from rapport_metrics.held import count_held
from rapport_metrics.schemas import HeldView

router = APIRouter(prefix="/v1/ops", tags=["ops"], route_class=JsonRoute)


@router.get(
    "/held",
    summary="Count what is known only from later events",
    responses={200: {"model": HeldView}},
)
async def read_held(request: Request, _: Annotated[Principal, requires("ops:read")]) -> Response:
    pool: Pool = request.app.state.pool
    async with snapshot(pool) as snap:
        return answer(HeldView(held=await count_held(snap)))
