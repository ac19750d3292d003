"""For operators of a sender: what could not be delivered, and another try."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from rapport_runtime.contract import Resources
from rapport_runtime.http.auth import Principal, requires
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.paging import (
    Cursor,
    CursorMalformedError,
    Limit,
    decode_cursor,
    encode_cursor,
    next_link,
)
from rapport_runtime.http.views import Instant, View, answer
from rapport_runtime.pool import Pool
from rapport_runtime.sender import rows

Reader = Annotated[Principal, requires("ops:read")]
Writer = Annotated[Principal, requires("ops:write")]

State = Literal["waiting", "sent", "dead", "suppressed", "expired", "discarded"]
_State = Annotated[State, Query(description="`dead` is what waits for you")]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class DeliveryView(View):
    """A message that was asked for. What it says, and to whom, is not shown."""

    action: str
    state: State
    channel: str | None
    template: str | None
    purpose: str | None
    subject_id: str | None
    attempts: int
    next_at: Instant = Field(description="Of a waiting one: when it is tried")
    expires_at: Instant | None
    last_error: str | None = Field(examples=["smtp_550"])
    created_at: Instant
    settled_at: Instant | None


class DeliveryListView(View):
    deliveries: list[DeliveryView]
    next_cursor: str | None


class Actions(BaseModel):
    """Which deliveries."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    actions: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=512)]],
        Field(min_length=1, max_length=200),
    ]


class RetriedView(View):
    retried: list[str] = Field(description="Those of the actions that were dead")


class DiscardedView(View):
    discarded: list[str] = Field(description="Those of the actions that were dead or waiting")


def make_deliveries_router() -> APIRouter:
    """Routes about one service's deliveries; `app.state` has `resources` and a `pool`."""
    router = APIRouter(prefix="/v1/ops", tags=["ops"], route_class=JsonRoute)
    _add_list(router)
    _add_writes(router)
    return router


def _add_list(router: APIRouter) -> None:
    @router.get(
        "/deliveries",
        summary="List deliveries",
        responses={200: {"model": DeliveryListView}},
    )
    async def read_deliveries(
        request: Request,
        _: Reader,
        state: _State = "dead",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Response:
        pool: Pool = request.app.state.pool
        query = f"deliveries?{state}"
        after = (_EPOCH, "") if cursor is None else _position(cursor, query)
        found = await rows.list_deliveries(pool, state, after, limit + 1)
        page = found[:limit]
        following = None
        if len(found) > limit:
            last = page[-1]
            following = encode_cursor([last.created_at.isoformat(), last.action], query)
        views = [DeliveryView.model_validate(one._asdict()) for one in page]
        return answer(
            DeliveryListView(deliveries=views, next_cursor=following),
            None if following is None else next_link(request, following),
        )


def _add_writes(router: APIRouter) -> None:
    @router.post(
        "/deliveries:retry",
        summary="Try dead deliveries again",
        responses={200: {"model": RetriedView}},
    )
    async def receive_retry(request: Request, _: Writer, wanted: Actions) -> Response:
        resources: Resources = request.app.state.resources
        async with resources.engine.begin() as tx:
            retried = await rows.retry(tx, wanted.actions)
        return answer(RetriedView(retried=retried))

    @router.post(
        "/deliveries:discard",
        summary="Give up on deliveries",
        responses={200: {"model": DiscardedView}},
    )
    async def receive_discard(request: Request, _: Writer, wanted: Actions) -> Response:
        resources: Resources = request.app.state.resources
        async with resources.engine.begin() as tx:
            discarded = await rows.discard(tx, wanted.actions)
        return answer(DiscardedView(discarded=discarded))


def _position(cursor: str, query: str) -> tuple[datetime, str]:
    at, action = decode_cursor(cursor, query, length=2)
    try:
        return datetime.fromisoformat(str(at)), str(action)
    except ValueError:
        raise CursorMalformedError from None
