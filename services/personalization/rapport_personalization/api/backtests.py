"""Back-tests: what a version of a trigger would have done in the past."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.paging import (
    CursorMalformedError,
    decode_cursor,
    encode_cursor,
    next_link,
)
from rapport_runtime.http.problems import ApiError, FieldError
from rapport_runtime.http.views import answer

from rapport_personalization import backtests
from rapport_personalization.api.asked import Reader, Writer
from rapport_personalization.api.triggers import TriggerId
from rapport_personalization.backtests import Backtest
from rapport_personalization.desk import AtDesk
from rapport_personalization.schemas.backtests import (
    AskedBacktest,
    BacktestsQuery,
    BacktestsView,
    BacktestView,
    FoundPage,
    FoundQuery,
    FoundView,
    ResultView,
)
from rapport_personalization.schemas.decisions import GateView
from rapport_personalization.versions import load_version, load_versions

router = APIRouter(prefix="/v1", tags=["back-tests"], route_class=JsonRoute)

BacktestId = Annotated[UUID, Path(alias="backtest")]

_FOUND: Final = """
SELECT id, subject_id::text, anchor, thing, outcome, gate, arm, channel, at, due, send_at,
    gates::text AS asked
FROM backtest_decision
WHERE backtest = $1::text::uuid AND ($2::text IS NULL OR outcome = $2)
    AND ($3::timestamptz IS NULL OR (send_at, id) > ($3, $4::bytea))
ORDER BY send_at, id LIMIT $5
"""

_SAMPLES: Final = """
SELECT id, subject_id::text, anchor, thing, outcome, gate, arm, channel, at, due, send_at,
    gates::text AS asked
FROM backtest_decision WHERE backtest = $1::text::uuid AND gates IS NOT NULL
ORDER BY outcome, send_at, id
"""


class PeriodInFutureError(ApiError):
    """Nothing is known of the end of the period yet."""

    status_code = 422

    def __init__(self) -> None:
        reason = "lies in the future, of which nothing is known; give a time that is over"
        super().__init__(f"to: {reason}", errors=[FieldError("/to", reason, "in_the_future")])


@router.post(
    "/triggers/{id}/backtests",
    status_code=202,
    summary="Ask what a version would have done",
    responses={202: {"model": BacktestView}},
)
async def receive_backtest(
    writer: Writer, desk: AtDesk, id_: TriggerId, asked: AskedBacktest
) -> Response:
    if asked.end > datetime.now(UTC):
        raise PeriodInFutureError
    await load_version(desk.pool, id_, asked.version)
    async with desk.engine.begin() as tx:
        task = await backtests.add(tx, id_, asked.version, asked.period, asked.sample, writer.name)
    shown = answer(_view(task), {"location": f"/v1/backtests/{task.id}"})
    shown.status_code = 202
    return shown


@router.get(
    "/triggers/{id}/backtests",
    summary="List a trigger's back-tests",
    responses={200: {"model": BacktestsView}},
)
async def read_backtests(
    request: Request,
    _: Reader,
    desk: AtDesk,
    id_: TriggerId,
    asked: Annotated[BacktestsQuery, Query()],
) -> Response:
    await load_versions(desk.pool, id_)
    after = _position(asked.cursor, f"backtests:{id_}")
    rows = await backtests.load_of(desk.pool, id_, after, asked.limit + 1)
    shown = rows[: asked.limit]
    cursor = None
    if len(rows) > len(shown):
        last = shown[-1]
        cursor = encode_cursor([last.created_at.isoformat(), last.id], f"backtests:{id_}")
    page = BacktestsView(backtests=[_view(one) for one in shown], next_cursor=cursor)
    return answer(page, None if cursor is None else next_link(request, cursor))


@router.get(
    "/backtests/{backtest}", summary="Read a back-test", responses={200: {"model": BacktestView}}
)
async def read_backtest(_: Reader, desk: AtDesk, backtest: BacktestId) -> Response:
    task = await backtests.load(desk.pool, backtest)
    samples = None
    if task.state == "done":
        samples = [_found(row) for row in await desk.pool.fetch(_SAMPLES, task.id)]
    return answer(_view(task, samples))


@router.get(
    "/backtests/{backtest}/decisions",
    summary="List what a back-test found",
    responses={200: {"model": FoundPage}},
)
async def read_found(
    request: Request,
    _: Reader,
    desk: AtDesk,
    backtest: BacktestId,
    asked: Annotated[FoundQuery, Query()],
) -> Response:
    task = await backtests.load(desk.pool, backtest)
    filters = f"{task.id}:{task.attempts}:{asked.outcome}"
    at, id_ = _position(asked.cursor, filters)
    after = (at, None if id_ is None else _key(id_))
    rows = await desk.pool.fetch(_FOUND, task.id, asked.outcome, *after, asked.limit + 1)
    shown = rows[: asked.limit]
    cursor = None
    if len(rows) > len(shown):
        last = shown[-1]
        cursor = encode_cursor([last["send_at"].isoformat(), last["id"].hex()], filters)
    page = FoundPage(decisions=[_found(row) for row in shown], next_cursor=cursor)
    return answer(page, None if cursor is None else next_link(request, cursor))


@router.post(
    "/backtests/{backtest}:cancel",
    summary="Cancel a back-test",
    responses={200: {"model": BacktestView}},
)
async def receive_cancellation(_: Writer, desk: AtDesk, backtest: BacktestId) -> Response:
    async with desk.engine.begin() as tx:
        return answer(_view(await backtests.cancel(tx, backtest)))


def _position(cursor: str | None, filters: str) -> tuple[datetime | None, str | None]:
    if cursor is None:
        return None, None
    at, id_ = decode_cursor(cursor, filters, length=2)
    try:
        return datetime.fromisoformat(str(at)), str(id_)
    except ValueError:
        raise CursorMalformedError from None


def _key(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise CursorMalformedError from None


def _view(task: Backtest, samples: Sequence[FoundView] | None = None) -> BacktestView:
    view = BacktestView(
        id=task.id,
        trigger=task.trigger,
        version=task.version,
        start=task.start,
        end=task.end,
        sample=task.sample,
        state=task.state,
        progress=task.share,
        events=task.events,
        events_per_second=round(task.events / task.seconds) if task.seconds else None,
        attempts=task.attempts,
        reason=task.reason,
        created_at=task.created_at,
        created_by=task.created_by,
        started_at=task.started_at,
        ended_at=task.ended_at,
    )
    if samples is None or task.result is None:
        return view
    result: Mapping[str, Any] = orjson.loads(task.result)
    view.result, view.samples = ResultView.model_validate(result), list(samples)
    return view


def _found(row: Any) -> FoundView:  # noqa: ANN401 - a row of the driver's
    gates = None if row["asked"] is None else orjson.loads(row["asked"])
    return FoundView(
        decision=row["id"].hex(),
        customer=row["subject_id"],
        anchor=row["anchor"],
        about=row["thing"],
        outcome=row["outcome"],
        gate=row["gate"],
        arm=row["arm"],
        channel=row["channel"],
        at=row["at"],
        due=row["due"],
        send_at=row["send_at"],
        gates=None if gates is None else [GateView.model_validate(gate) for gate in gates],
    )
