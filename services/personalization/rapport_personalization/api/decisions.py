"""What was decided, for whom, and what stopped it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.paging import (
    CursorMalformedError,
    decode_cursor,
    encode_cursor,
    next_link,
)
from rapport_runtime.http.problems import ApiError
from rapport_runtime.http.views import Standing, answer
from rapport_runtime.pool import snapshot
from rapport_runtime.standing import load_progress

from rapport_personalization.api.asked import Reader
from rapport_personalization.api.people import members_of
from rapport_personalization.consumer import PROJECTOR
from rapport_personalization.desk import AtDesk
from rapport_personalization.schemas.decisions import (
    DecisionsPage,
    DecisionsQuery,
    DecisionView,
    view_of,
)

router = APIRouter(prefix="/v1/decisions", tags=["decisions"], route_class=JsonRoute)

_PAGE: Final = """
SELECT *, gates::text AS asked FROM decision
WHERE ($1::text[] IS NULL OR person = ANY($1::text[]::uuid[]))
    AND ($2::text IS NULL OR trigger = $2) AND ($3::text IS NULL OR outcome = $3)
    AND ($4::text IS NULL OR kind = $4) AND ($5::bool IS NULL OR shadow = $5)
    AND ($6::timestamptz IS NULL OR send_at >= $6) AND ($7::timestamptz IS NULL OR send_at < $7)
    AND ($8::timestamptz IS NULL OR (send_at, id) < ($8, $9::bytea))
ORDER BY send_at DESC, id DESC LIMIT $10
"""

_ONE: Final = "SELECT *, gates::text AS asked FROM decision WHERE id = $1"


class DecisionNotFoundError(ApiError):
    """Nothing was decided under this id."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__(
            "nothing was decided under this id, or the customer was erased; "
            "GET /v1/decisions lists what was"
        )


@router.get("", summary="List decisions", responses={200: {"model": DecisionsPage}})
async def read_decisions(
    request: Request, _: Reader, desk: AtDesk, asked: Annotated[DecisionsQuery, Query()]
) -> Response:
    filters = asked.model_dump_json(exclude={"cursor", "limit"})
    members = None if asked.customer is None else await members_of(desk, asked.customer)
    after = _position(asked.cursor, filters)
    async with snapshot(desk.pool) as snap:
        rows = await snap.fetch(
            _PAGE,
            None if members is None else list(members),
            asked.trigger,
            asked.outcome,
            asked.kind,
            asked.shadow,
            asked.start,
            asked.end,
            *after,
            asked.limit + 1,
        )
        meta = Standing.of(await load_progress(snap, PROJECTOR), PROJECTOR, datetime.now(UTC))
    shown = rows[: asked.limit]
    cursor = _cursor(shown[-1], filters) if len(rows) > len(shown) else None
    page = DecisionsPage(decisions=_views(shown), next_cursor=cursor, meta=meta)
    return answer(page, None if cursor is None else next_link(request, cursor))


@router.get("/{decision}", summary="Read one decision", responses={200: {"model": DecisionView}})
async def read_decision(
    _: Reader, desk: AtDesk, decision: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
) -> Response:
    row = await desk.pool.fetchrow(_ONE, bytes.fromhex(decision))
    if row is None:
        raise DecisionNotFoundError
    return answer(_views([row])[0])


def _views(rows: Sequence[Any]) -> list[DecisionView]:
    return [view_of(row, orjson.loads(row["asked"])) for row in rows]


def _position(cursor: str | None, filters: str) -> tuple[datetime | None, bytes | None]:
    if cursor is None:
        return None, None
    at, id_ = decode_cursor(cursor, filters, length=2)
    try:
        return datetime.fromisoformat(str(at)), bytes.fromhex(str(id_))
    except ValueError:
        raise CursorMalformedError from None


def _cursor(row: Any, filters: str) -> str:  # noqa: ANN401 - a row of the driver's
    return encode_cursor([row["send_at"].isoformat(), row["id"].hex()], filters)
