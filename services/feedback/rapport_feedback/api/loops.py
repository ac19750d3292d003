"""Follow-ups: who gets back to whom, by when, and what came of it."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from rapport_runtime.http.auth import Principal
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.paging import next_link
from rapport_runtime.http.views import answer

from rapport_feedback.api.asked import PatientReader, Writer, standing
from rapport_feedback.api.places import read_place, write_place
from rapport_feedback.desk import AtDesk, Desk
from rapport_feedback.loop_reading import load_loop, load_loops, show_loops
from rapport_feedback.loop_work import Closing, LoopNotFoundError, assign, close
from rapport_feedback.schemas.loops import (
    AskedAssignment,
    AskedClosing,
    LoopsPage,
    LoopsQuery,
    OneLoop,
)
from rapport_feedback.views import Mask

router = APIRouter(prefix="/v1/loops", tags=["loops"], route_class=JsonRoute)

_Loop = Annotated[str, Path(max_length=64, description="Id of the follow-up")]


@router.get("", summary="List follow-ups", responses={200: {"model": LoopsPage}})
async def read_loops(
    request: Request, principal: PatientReader, desk: AtDesk, query: Annotated[LoopsQuery, Query()]
) -> Response:
    named = query.model_dump_json(exclude={"cursor", "limit"})
    after = None if query.cursor is None else read_place(query.cursor, named)
    now, meta = datetime.now(UTC), await standing(desk.pool)
    rows = await load_loops(desk.pool, query, after, now)
    mask = Mask("loops[]", sees_personal=principal.has("profile:pii"))
    page, following = rows[: query.limit], None
    if len(rows) > query.limit:
        following = write_place((page[-1]["due_at"], page[-1]["loop"]), named)
    shown = await show_loops(desk.keyring, page, mask, now)
    meta.masked, meta.erased = sorted(mask.masked), sorted(mask.erased)
    return answer(
        LoopsPage(loops=shown, next_cursor=following, meta=meta),
        None if following is None else next_link(request, following),
    )


@router.get("/{loop}", summary="Read one follow-up", responses={200: {"model": OneLoop}})
async def read_loop(principal: PatientReader, desk: AtDesk, loop: _Loop) -> Response:
    return await _show(desk, principal, loop)


@router.post(
    "/{loop}:assign", summary="Give a follow-up to somebody", responses={200: {"model": OneLoop}}
)
async def receive_assignment(
    principal: Writer, desk: AtDesk, loop: _Loop, asked: AskedAssignment
) -> Response:
    await assign(desk, loop, asked.owner)
    return await _show(desk, principal, loop)


@router.post("/{loop}:close", summary="Close a follow-up", responses={200: {"model": OneLoop}})
async def receive_closing(
    principal: Writer, desk: AtDesk, loop: _Loop, asked: AskedClosing
) -> Response:
    await close(desk, loop, Closing(asked.outcome, asked.informed, asked.note))
    return await _show(desk, principal, loop)


async def _show(desk: Desk, principal: Principal, loop: str) -> Response:
    meta = await standing(desk.pool)
    row = await load_loop(desk.pool, loop)
    if row is None:
        raise LoopNotFoundError
    mask = Mask("loop", sees_personal=principal.has("profile:pii"))
    [view] = await show_loops(desk.keyring, [row], mask, datetime.now(UTC))
    meta.masked, meta.erased = sorted(mask.masked), sorted(mask.erased)
    return answer(OneLoop(loop=view, meta=meta))
