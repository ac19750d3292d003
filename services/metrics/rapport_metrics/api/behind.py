"""What is behind a number: the events that it is dated by."""

from datetime import UTC, datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from msgspec.structs import asdict
from pydantic import Field
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.paging import MOST, decode_cursor, encode_cursor, next_link
from rapport_runtime.http.views import answer
from rapport_runtime.pool import Pool, Snapshot, snapshot
from rapport_runtime.standing import load_progress

from rapport_metrics.api.asking import BadWindowError, SpanQuery, filters_of, find_kpi, span_of
from rapport_metrics.api.definitions import defined
from rapport_metrics.api.kpis import KpiPath, Reader, settings_of, standing
from rapport_metrics.consumer import PROJECTOR
from rapport_metrics.domain.entities import Ref
from rapport_metrics.domain.instants import instant, moment
from rapport_metrics.domain.outcome import MINUTE, bucket
from rapport_metrics.question import Question
from rapport_metrics.replay import Between, Found, facts_of, kinds_of, load_refs, load_working
from rapport_metrics.schemas import BehindView, FactView
from rapport_metrics.tables import FIRST

router = APIRouter(prefix="/v1/kpis", tags=["kpis"], route_class=JsonRoute)

_CHUNK: Final = 200


class BehindQuery(SpanQuery):
    """The query string of a KPI's events."""

    definition: str | None = Field(
        default=None, max_length=100, description="Another version than the one in force"
    )
    cursor: str | None = Field(default=None, max_length=2_048)
    limit: int = Field(default=50, ge=1, le=MOST)


@router.get(
    "/{kpi}/events", summary="List what a number is made of", responses={200: {"model": BehindView}}
)
async def read_behind(
    request: Request,
    _: Reader,
    kpi: KpiPath,
    query: Annotated[BehindQuery, Query()],
) -> Response:
    settings = settings_of(request)
    version = defined(find_kpi(kpi), query.definition, settings)
    asked = version.kpi
    if asked.shape == "persons":
        raise BadWindowError("kpi", f"{asked.id} counts persons, not events; it has no list")
    span = span_of(query, ZoneInfo(settings.kpi.zone), datetime.now(UTC))
    question = Question(
        asked, span.windows(), span.as_of, (), filters_of(query, asked), 0,
        version.options, is_past=query.as_of is not None, is_recounted=version.is_recounted,
    )  # fmt: skip
    place = f"{kpi} {query.model_dump_json(exclude={'cursor', 'limit'})}"
    told = decode_cursor(query.cursor, place, length=2) if query.cursor else ("", "")
    after = Ref(str(told[0]), str(told[1]))
    pool: Pool = request.app.state.pool
    async with snapshot(pool, hold=FIRST) as snap:
        progress = await load_progress(snap, PROJECTOR)
        found, left_off = await _load(snap, question, after, query.limit)
    following = None if left_off is None else encode_cursor([left_off.kind, left_off.id], place)
    return answer(
        BehindView(
            kpi=asked.id,
            definition=asked.definition,
            facts=[_fact(question, one) for one in found],
            next_cursor=following,
            meta=standing(progress),
        ),
        None if following is None else next_link(request, following),
    )


async def _load(
    snap: Snapshot, question: Question, after: Ref, limit: int
) -> tuple[list[Found], Ref | None]:
    """At least `limit` facts where there are so many, and the entity at which the page ends."""
    start, end = question.windows[0][0], min(question.windows[-1][1], question.as_of)
    # A level is what all days before its end came to.
    within = Between(0 if question.kpi.shape == "level" else instant(start), instant(end))
    # By another version a deadline may lie behind the last event of what it is a deadline of.
    since = 0 if question.is_recounted and question.kpi.id.startswith("sla_") else within.start
    between = within._replace(start=since, after=after)
    kinds, found = kinds_of(question.kpi.metrics), list[Found]()
    before = instant(question.as_of) if question.is_past else None
    while refs := await load_refs(snap, kinds, between, _CHUNK):
        working = await load_working(snap, refs)
        facts = facts_of(working, refs, question.options, before)
        found += (one for one in facts if _is_asked(question, one, within))
        between = between._replace(after=refs[-1])
        if len(found) >= limit:
            return found, refs[-1]
    return found, None


def _is_asked(question: Question, one: Found, within: Between) -> bool:
    minute = bucket(one.fact.metric, one.fact.at)
    return (
        one.fact.metric in question.kpi.metrics
        and within.start // MINUTE <= minute < within.end // MINUTE
        and all(getattr(one.fact.dims, name) == value for name, value in question.filters.items())
    )


def _is_pending(question: Question, one: Found) -> bool:
    """As totals have it: a unit counts from the minute on in which its look-ahead is over."""
    mature = instant(question.as_of) // MINUTE - question.lookahead // MINUTE
    return bool(question.lookahead) and bucket(one.fact.metric, one.fact.at) >= mature


def _fact(question: Question, one: Found) -> FactView:
    dims = {name: value for name, value in asdict(one.fact.dims).items() if value is not None}
    return FactView(
        event=one.fact.cause.hex(),
        metric=one.fact.metric,
        at=moment(one.fact.at),
        num=one.fact.num,
        den=one.fact.den,
        pending=_is_pending(question, one),
        dims=dims,
        entity=one.ref.kind,
        id=None if one.ref.kind == "subject" else one.ref.id,
    )
