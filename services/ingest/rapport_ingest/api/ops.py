"""For operators: how the inbound topic is read, what waits for the broker, what is parked."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Query
from rapport_events.topics import INBOUND
from rapport_runtime import parked
from rapport_runtime.contract import Resources
from rapport_runtime.http.auth import Principal, requires
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.paging import Cursor, Limit, decode_cursor, encode_cursor, next_link
from rapport_runtime.subscription import redrive
from rapport_runtime.tables import TABLES
from sqlalchemy import RowMapping, func, select
from starlette.requests import Request
from starlette.responses import Response

from rapport_ingest.house import House
from rapport_ingest.inbound import NAME, inbound_subscription
from rapport_ingest.schemas import (
    ParkedDiscarded,
    ParkedEvent,
    ParkedIds,
    ParkedPage,
    ParkedRedriven,
    Partition,
    Redriven,
    SpoolStatus,
    Stream,
    Streams,
)

router = APIRouter(prefix="/v1/ops", tags=["ops"], route_class=JsonRoute)

Reader = Annotated[Principal, requires("ops:read")]
Writer = Annotated[Principal, requires("ops:write")]


@router.get("/spool", summary="What waits on this machine's disk for the broker")
async def read_spool(request: Request, _: Reader) -> SpoolStatus:
    house, registry = _house(request), _resources(request).metrics.registry

    def gauge(what: str) -> float:
        labels = {"topic": house.line.topic}
        return registry.get_sample_value(f"rapport_ingest_{what}", labels) or 0.0

    return SpoolStatus(
        topic=house.line.topic,
        events=int(gauge("spool_events")),
        bytes=int(gauge("spool_bytes")),
        limit_bytes=_resources(request).settings.spool.max_bytes,
        oldest_seconds=gauge("spool_oldest_seconds"),
    )


@router.get("/streams", summary="How far the inbound topic is read")
async def read_streams(request: Request, _: Reader) -> Streams:
    offsets, waiting = TABLES.projector_offset, TABLES.parked_event
    async with _house(request).database() as connection:
        rows = await connection.execute(
            select(offsets)
            .where(offsets.c.projector == NAME)
            .order_by(offsets.c.topic, offsets.c.partition)
        )
        found = rows.mappings().all()
        count = await connection.scalar(
            select(func.count()).where(waiting.c.projector == NAME, waiting.c.settled_at.is_(None))
        )
    by_topic = groupby(found, key=lambda row: str(row["topic"]))
    return Streams(streams=[_stream(topic, list(rows)) for topic, rows in by_topic], parked=count)


@router.get("/parked", summary="List records that the inbound worker could not take")
async def read_parked(
    request: Request,
    response: Response,
    _: Reader,
    settled: Annotated[bool, Query(description="Settled ones, too")] = False,  # noqa: FBT002
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ParkedPage:
    query = f"parked?{settled}"
    after = int(decode_cursor(cursor, query, length=1)[0]) if cursor else 0
    async with _house(request).database() as connection:
        found = await parked.list_parked(
            connection, projectors=[NAME], after=after, limit=limit + 1, waiting_only=not settled
        )
    following = encode_cursor([found[limit - 1].id], query) if len(found) > limit else None
    if following is not None:
        response.headers.update(next_link(request, following))
    return ParkedPage(
        items=[ParkedEvent.model_validate(one, from_attributes=True) for one in found[:limit]],
        next_cursor=following,
    )


@router.post("/parked:redrive", summary="Take parked records again")
async def redrive_parked(request: Request, _: Writer, body: ParkedIds) -> ParkedRedriven:
    resources = _resources(request)
    # Where a parked record came from is in its row: a redrive subscribes to nothing.
    subscription = inbound_subscription(_house(request), INBOUND.name)
    results = [
        Redriven(id=one, outcome=await redrive(subscription, resources, one))
        for one in dict.fromkeys(body.ids)
    ]
    return ParkedRedriven(results=results)


@router.post("/parked:discard", summary="Give up on parked records")
async def discard_parked(request: Request, _: Writer, body: ParkedIds) -> ParkedDiscarded:
    async with _house(request).database() as connection:
        return ParkedDiscarded(discarded=await parked.discard(connection, body.ids))


def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house


def _resources(request: Request) -> Resources:
    resources: Resources = request.app.state.resources
    return resources


def _stream(topic: str, rows: Sequence[RowMapping]) -> Stream:
    now = datetime.now(UTC)
    partitions = [_partition(row, now) for row in rows]
    return Stream(
        projector=NAME,
        topic=topic,
        partitions=partitions,
        lag_events=sum(one.lag_events for one in partitions),
        lag_seconds=max(one.lag_seconds for one in partitions),
    )


def _partition(row: RowMapping, now: datetime) -> Partition:
    lag = max(0, row["high_watermark"] - row["next_offset"])
    since = row["recorded_at"] if lag else None
    return Partition(
        partition=row["partition"],
        position=row["next_offset"],
        high_watermark=row["high_watermark"],
        lag_events=lag,
        lag_seconds=0.0 if since is None else (now - since).total_seconds(),
        looked_at=row["updated_at"],
    )
