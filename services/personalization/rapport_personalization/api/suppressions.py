"""The suppression list: whom we do not write to, whatever they allow."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.paging import Cursor, decode_cursor, encode_cursor, next_link
from rapport_runtime.http.problems import ApiError, FieldError
from rapport_runtime.http.views import answer
from rapport_runtime.people import read_persons

from rapport_personalization.api.asked import Reader, Ref, Writer
from rapport_personalization.api.people import CustomerErasedError, living_person, person_of
from rapport_personalization.desk import AtDesk, Desk
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.suppressing import resume, suppress
from rapport_personalization.preferences.known import load_known
from rapport_personalization.preferences.saying import Speaker, Wish, say
from rapport_personalization.schemas.preferences import (
    AskedSuppression,
    SuppressionsPage,
    SuppressionView,
)

router = APIRouter(prefix="/v1", tags=["policies"], route_class=JsonRoute)

_LISTED: Final = """
SELECT subject FROM (
    SELECT subject_id::text AS subject FROM moment WHERE type = 'contact.suppressed.v1'
    UNION
    SELECT subject_id::text FROM preference WHERE name = 'suppressed'
) AS named
WHERE subject > $1 ORDER BY subject LIMIT $2
"""

_WE: Final = Speaker("agent")
Limit = Annotated[int, Query(ge=1, le=200)]


class OverAlreadyError(ApiError):
    """An end that lies in the past."""

    status_code = 422

    def __init__(self) -> None:
        reason = "must lie in the future; leave it out for no end"
        super().__init__(f"until: {reason}", errors=[FieldError("/until", reason)])


@router.get(
    "/suppressions",
    summary="List whom we do not write to",
    responses={200: {"model": SuppressionsPage}},
)
async def read_suppressions(
    request: Request, _: Reader, desk: AtDesk, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    after = "" if cursor is None else str(decode_cursor(cursor, "suppressions", length=1)[0])
    rows = await desk.pool.fetch(_LISTED, after, limit + 1)
    subjects = [row[0] for row in rows[:limit]]
    now = datetime.now(UTC)
    persons = await read_persons(desk.pool, subjects)
    async with desk.engine.connect() as tx:
        known = await load_known(tx, [one for one in persons if not one.erased])
    shown = (_view(customer, now) for _, customer in sorted(known.items()))
    following = encode_cursor([subjects[-1]], "suppressions") if len(rows) > limit else None
    page = SuppressionsPage(
        suppressions=[one for one in shown if one.scope is not None], next_cursor=following
    )
    return answer(page, None if following is None else next_link(request, following))


@router.get(
    "/customers/{ref}/suppression",
    summary="Tell whether we write to a customer",
    responses={200: {"model": SuppressionView}},
)
async def read_suppression(_: Reader, desk: AtDesk, ref: Ref) -> Response:
    person = await person_of(desk, ref, "path")
    async with desk.engine.connect() as tx:
        known = await load_known(tx, [person])
    return answer(_view(known[person.key], datetime.now(UTC)))


@router.put(
    "/customers/{ref}/suppression",
    summary="Write to a customer no more",
    responses={200: {"model": SuppressionView}},
)
async def receive_suppression(
    _: Writer, desk: AtDesk, ref: Ref, asked: AskedSuppression
) -> Response:
    now = datetime.now(UTC)
    if asked.until is not None and asked.until <= now:
        raise OverAlreadyError
    wish = partial(suppress, now=now, scope=asked.scope, until=asked.until, reason=asked.reason)
    return await _say(desk, ref, wish, now)


@router.delete(
    "/customers/{ref}/suppression",
    summary="Write to a customer again, as far as they allow it",
    responses={200: {"model": SuppressionView}},
)
async def receive_resumption(_: Writer, desk: AtDesk, ref: Ref) -> Response:
    now = datetime.now(UTC)
    return await _say(desk, ref, partial(resume, now=now, reason=None), now)


async def _say(desk: Desk, ref: str, wish: Wish, now: datetime) -> Response:
    person = await living_person(desk, ref)
    async with desk.engine.begin() as tx:
        customer = await say(tx, person.key, wish, now, _WE)
    if customer is None:
        raise CustomerErasedError
    return answer(_view(customer, now))


def _view(customer: Customer, now: datetime) -> SuppressionView:
    known = customer.suppressed
    if known is None or known.is_over(now):
        return SuppressionView(customer=customer.person, scope=None, until=None, since=None)
    return SuppressionView(
        customer=customer.person, scope=known.scope, until=known.until, since=known.said.at
    )
