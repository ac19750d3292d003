"""Refused events, for operators: looked at, tried again, mended, given up."""

from dataclasses import asdict
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Path, Query
from rapport_events.event import Timestamp
from rapport_runtime.http.auth import Principal, requires
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.paging import Cursor, Limit, decode_cursor, encode_cursor, next_link
from rapport_runtime.http.problems import ApiError
from sqlalchemy import RowMapping
from starlette.requests import Request
from starlette.responses import Response

from rapport_ingest.api.door import told_to_callers
from rapport_ingest.draft import raw_json
from rapport_ingest.house import House
from rapport_ingest.quarantine import retry, store
from rapport_ingest.quarantine.payload import open_payload
from rapport_ingest.quarantine.schemas import (
    DiscardAnswer,
    Fix,
    FixAnswer,
    Meta,
    Quarantined,
    QuarantinedView,
    QuarantinePage,
    Tried,
    TriedAnswer,
    Which,
)

router = APIRouter(prefix="/v1/ops", tags=["quarantine"], route_class=JsonRoute)

Reader = Annotated[Principal, requires("ops:read")]
Writer = Annotated[Principal, requires("ops:write")]
RowId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Text = Annotated[str | None, Query(max_length=256)]

_DEEPEST: Final = 100
"""Brackets: fewer than that cannot be nested deeper than what serialises an answer."""

_log = structlog.get_logger(__name__)


class NotInQuarantineError(ApiError):
    """No such event is in quarantine, or it waits no more."""

    status_code = 404

    def __init__(self, row_id: int) -> None:
        super().__init__(f"no event {row_id} is in quarantine, or it waits no more")


@router.get("/quarantine", summary="List refused events, the newest first")
async def read_quarantine(
    request: Request,
    response: Response,
    principal: Reader,
    code: Text = None,
    source: Text = None,
    event_id: Text = None,
    received_from: Annotated[Timestamp | None, Query(alias="from")] = None,
    received_until: Annotated[Timestamp | None, Query(alias="to")] = None,
    settled: Annotated[bool, Query(description="Settled ones, too")] = False,  # noqa: FBT002
    limit: Limit = 50,
    cursor: Cursor = None,
) -> QuarantinePage:
    wanted = store.Filter(
        code=code,
        source=source,
        event_id=event_id,
        received_from=received_from,
        received_until=received_until,
        waiting_only=not settled,
    )
    before = None if cursor is None else _position(cursor, repr(wanted))
    house = _house(request)
    async with house.database() as connection:
        rows = await store.list_refused(connection, wanted, before=before, limit=limit + 1)
    page, rest = rows[:limit], rows[limit:]
    next_cursor = encode_cursor([page[-1]["id"]], repr(wanted)) if rest else None
    if next_cursor is not None:
        response.headers.update(next_link(request, next_cursor))
    return QuarantinePage(
        items=[_view(row, house, principal) for row in page],
        next_cursor=next_cursor,
        meta=_meta(principal),
    )


@router.get("/quarantine/{row_id}", summary="Read one refused event")
async def read_quarantined(request: Request, principal: Reader, row_id: RowId) -> QuarantinedView:
    house = _house(request)
    async with house.database() as connection:
        row = await store.load_refused(connection, row_id)
    if row is None:
        raise NotInQuarantineError(row_id)
    return QuarantinedView(item=_view(row, house, principal), meta=_meta(principal))


@router.post("/quarantine:redrive", summary="Try refused events again as they are")
async def redrive_quarantine(request: Request, principal: Writer, which: Which) -> TriedAnswer:
    with told_to_callers():
        tried = await retry.retry(_house(request), which.ids, _filter(which), by=principal.name)
    _tell("quarantine redriven", principal, tried)
    return TriedAnswer(
        results=[Tried(**asdict(one)) for one in tried], more=len(tried) == retry.MOST
    )


@router.post("/quarantine:fix", summary="Mend one refused event, and try it")
async def fix_quarantined(request: Request, principal: Writer, body: Fix) -> FixAnswer:
    with told_to_callers():
        tried = await retry.fix(
            _house(request), body.id, body.patch, by=principal.name, dry_run=body.dry_run
        )
    if tried is None:
        raise NotInQuarantineError(body.id)
    if not body.dry_run:
        _tell("quarantined event fixed", principal, [tried])
    return FixAnswer(accepted=tried.code is None, result=Tried(**asdict(tried)))


@router.post("/quarantine:discard", summary="Give up on refused events")
async def discard_quarantine(request: Request, principal: Writer, which: Which) -> DiscardAnswer:
    async with _house(request).database() as connection:
        rows = await store.claim_refused(
            connection, ids=which.ids, wanted=_filter(which), limit=retry.MOST
        )
        ids = [row["id"] for row in rows]
        discarded = await store.settle_refused(
            connection, ids, settled_as=store.DISCARDED, by=principal.name
        )
    _log.info("quarantine discarded", key_id=principal.key_id, events=len(discarded))
    return DiscardAnswer(discarded=discarded, more=len(discarded) == retry.MOST)


def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house


def _position(cursor: str, query: str) -> int:
    [position] = decode_cursor(cursor, query, length=1)
    return position if isinstance(position, int) else 0


def _filter(which: Which) -> store.Filter:
    return store.Filter(
        code=which.code,
        source=which.source,
        received_from=which.received_from,
        received_until=which.received_until,
    )


def _view(row: RowMapping, house: House, principal: Principal) -> Quarantined:
    seen: dict[str, Any] = {name: row[name] for name in Quarantined.model_fields if name in row}
    seen["payload"] = None
    if principal.has("profile:pii"):
        seen["payload"] = _shown(open_payload(row["payload"], house.keyring).event)
    return Quarantined(**seen)


def _shown(event: object) -> object:
    """The event, or its text where it is nothing that an answer in JSON could hold."""
    text = raw_json(event)
    plain = b"\\ud" not in text.lower() and b"NaN" not in text and b"Infinity" not in text
    deep = text.count(b"{") + text.count(b"[") > _DEEPEST
    return event if plain and not deep else text.decode("ascii", "backslashreplace")


def _meta(principal: Principal) -> Meta:
    return Meta(masked=[] if principal.has("profile:pii") else ["payload"])


def _tell(message: str, principal: Principal, tried: list[retry.Retried]) -> None:
    settled = sum(one.settled_as is not None for one in tried)
    _log.info(message, key_id=principal.key_id, events=settled, rejected=len(tried) - settled)
