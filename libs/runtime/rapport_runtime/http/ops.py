"""For operators of a service: how its streams run, and what could not be applied."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from rapport_runtime import parked
from rapport_runtime.contract import Resources, Subscription
from rapport_runtime.http.auth import Principal, requires
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.opsviews import (
    DiscardView,
    Ids,
    ParkedListView,
    ParkedView,
    PartitionView,
    RedrivenView,
    RedriveView,
    StreamsView,
    StreamView,
)
from rapport_runtime.http.paging import Cursor, Limit, decode_cursor, encode_cursor, next_link
from rapport_runtime.http.views import answer
from rapport_runtime.parked import ParkedEvent
from rapport_runtime.pool import Pool, Reads, snapshot
from rapport_runtime.standing import Progressed, count_parked, lag_ms, load_progress
from rapport_runtime.subscription import redrive
from rapport_runtime.subscription.redrive import Redriven

Reader = Annotated[Principal, requires("ops:read")]
Writer = Annotated[Principal, requires("ops:write")]

_PARKED: Final = "parked"
_Settled = Annotated[bool, Query(description="Show those that are settled, too")]


def make_ops_router(*subscriptions: Subscription) -> APIRouter:
    """Routes about all that a service reads, the projection before what goes beside it.

    `app.state` has `resources` and a `pool` for reading.
    """
    router = APIRouter(prefix="/v1/ops", tags=["ops"], route_class=JsonRoute)
    _add_reads(router, [one.name for one in subscriptions])
    _add_writes(router, subscriptions)
    return router


def _add_reads(router: APIRouter, projectors: Sequence[str]) -> None:
    @router.get(
        "/streams", summary="Where the projection is", responses={200: {"model": StreamsView}}
    )
    async def read_streams(request: Request, _: Reader) -> Response:
        pool: Pool = request.app.state.pool
        async with snapshot(pool) as snap:
            streams = [one for name in projectors for one in await _streams(snap, name)]
        return answer(StreamsView(streams=streams))

    @router.get("/parked", summary="List parked events", responses={200: {"model": ParkedListView}})
    async def read_parked(
        request: Request,
        _: Reader,
        cursor: Cursor = None,
        limit: Limit = 50,
        settled: _Settled = False,  # noqa: FBT002 - a query parameter is given by name
    ) -> Response:
        resources: Resources = request.app.state.resources
        query = f"{_PARKED}?{settled}"
        after = int(decode_cursor(cursor, query, length=1)[0]) if cursor else 0
        async with resources.engine.connect() as connection:
            found = await parked.list_parked(
                connection,
                projectors=projectors,
                after=after,
                limit=limit + 1,
                waiting_only=not settled,
            )
        page = found[:limit]
        following = encode_cursor([page[-1].id], query) if len(found) > limit else None
        return answer(
            ParkedListView(parked=[_parked(one) for one in page], next_cursor=following),
            None if following is None else next_link(request, following),
        )


def _add_writes(router: APIRouter, subscriptions: Sequence[Subscription]) -> None:
    @router.post(
        "/parked:redrive",
        summary="Apply parked events again",
        responses={200: {"model": RedriveView}},
    )
    async def receive_redrive(request: Request, _: Writer, wanted: Ids) -> Response:
        resources: Resources = request.app.state.resources
        results = [
            RedrivenView(id=one, outcome=await _redrive(subscriptions, resources, one))
            for one in dict.fromkeys(wanted.ids)
        ]
        return answer(RedriveView(results=results))

    @router.post(
        "/parked:discard",
        summary="Give up on parked events",
        responses={200: {"model": DiscardView}},
    )
    async def receive_discard(request: Request, _: Writer, wanted: Ids) -> Response:
        resources: Resources = request.app.state.resources
        async with resources.engine.begin() as connection:
            discarded = await parked.discard(connection, wanted.ids)
        return answer(DiscardView(discarded=discarded))


async def _streams(snap: Reads, projector: str) -> list[StreamView]:
    progress = await load_progress(snap, projector)
    waiting = await count_parked(snap, projector)
    now = datetime.now(UTC)
    return [
        _stream(projector, topic, list(places), waiting.get(topic, 0), now)
        for topic, places in groupby(progress, key=lambda one: one.topic)
    ]


async def _redrive(
    subscriptions: Sequence[Subscription], resources: Resources, parked_id: int
) -> Redriven:
    """Through the one that had parked it."""
    for subscription in subscriptions:
        outcome = await redrive(subscription, resources, parked_id)
        if outcome != "not_waiting":
            return outcome
    return "not_waiting"


def _stream(
    projector: str, topic: str, places: Sequence[Progressed], waiting: int, now: datetime
) -> StreamView:
    partitions = [_partition(one, now) for one in places]
    return StreamView(
        projector=projector,
        topic=topic,
        partitions=partitions,
        lag_events=sum(one.lag_events for one in partitions),
        lag_seconds=max(one.lag_seconds for one in partitions),
        parked=waiting,
    )


def _partition(one: Progressed, now: datetime) -> PartitionView:
    return PartitionView(
        partition=one.partition,
        position=one.next_offset,
        high_watermark=one.high_watermark,
        lag_events=max(0, one.high_watermark - one.next_offset),
        lag_seconds=lag_ms(one, now) / 1000,
        recorded_at=one.recorded_at,
        looked_at=one.updated_at,
    )


def _parked(one: ParkedEvent) -> ParkedView:
    return ParkedView(
        id=one.id,
        projector=one.projector,
        topic=one.topic,
        partition=one.partition,
        offset=one.offset,
        event=None if one.event_key is None else one.event_key.hex(),
        code=one.code,
        detail=one.detail,
        bytes=one.bytes,
        parked_at=one.parked_at,
        settled_at=one.settled_at,
        settled_as=one.settled_as,
    )
