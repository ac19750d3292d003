"""The KPIs: what there are, and what they say."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request, Response
from rapport_runtime.contract import Resources
from rapport_runtime.http.auth import Principal, requires
from rapport_runtime.http.consistency import AskedConsistency, NotYetVisibleError
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.views import Standing, answer
from rapport_runtime.pool import Pool, snapshot
from rapport_runtime.progress import read_positions
from rapport_runtime.standing import Progressed, load_progress

from rapport_metrics.api.asking import KpiQuery, Span, find_kpi, groups_of, span_of
from rapport_metrics.consumer import PROJECTOR
from rapport_metrics.domain.catalogue import CATALOGUE, Kpi
from rapport_metrics.domain.instants import DAY, SECOND
from rapport_metrics.domain.interval import SMALL
from rapport_metrics.question import Question
from rapport_metrics.restated import load_restated
from rapport_metrics.schemas import CatalogueView, KpiView, PointView, SeriesView
from rapport_metrics.series import Point, load_points
from rapport_metrics.settings import MetricsSettings
from rapport_metrics.tables import FIRST

_CHURN_FINAL: Final = timedelta(days=30)
_ONE_DAY: Final = timedelta(days=1)
_SUMS: Final = frozenset({"total", "level"})

router = APIRouter(prefix="/v1/kpis", tags=["kpis"], route_class=JsonRoute)

Reader = Annotated[Principal, requires("metrics:read")]
KpiPath = Annotated[str, Path(max_length=64, examples=["nps"])]


@router.get("", summary="List the KPIs", responses={200: {"model": CatalogueView}})
async def read_catalogue(_: Reader) -> Response:
    return answer(CatalogueView(kpis=[_described(kpi) for kpi in CATALOGUE.values()]))


@router.get("/{kpi}", summary="Read one KPI", responses={200: {"model": SeriesView}})
async def read_kpi(
    request: Request,
    _: Reader,
    kpi: KpiPath,
    query: Annotated[KpiQuery, Query()],
    consistency: AskedConsistency,
) -> Response:
    asked, settings = find_kpi(kpi), settings_of(request)
    span = span_of(query, ZoneInfo(settings.kpi.zone), datetime.now(UTC))
    question = Question(
        kpi=asked,
        windows=span.windows(),
        as_of=span.as_of,
        group_by=groups_of(query, asked),
        filters=query.filters(),
        churn_window=(query.window_days or settings.kpi.churn_window_days) * DAY,
        options=settings.options(),
        is_past=query.as_of is not None,
    )
    await wait_for(request, consistency)
    pool: Pool = request.app.state.pool
    async with snapshot(pool, hold=FIRST) as snap:
        progress = await load_progress(snap, PROJECTOR)
        points = await load_points(snap, question)
        restated = await load_restated(snap, asked, span.starts[0], span.end)
    return answer(
        SeriesView(
            kpi=asked.id,
            name=asked.name,
            definition=asked.definition,
            unit=asked.unit,
            scale=asked.scale,
            as_of=span.as_of,
            series=[_point(asked, span, point, restated) for point in points],
            meta=standing(progress),
            note=_note(points),
        )
    )


async def wait_for(request: Request, consistency: AskedConsistency) -> None:
    """Raises NotYetVisibleError when the caller's events are not counted in time."""
    resources: Resources = request.app.state.resources
    if not consistency.positions:
        return
    wanted = {place: offset + 1 for place, offset in consistency.positions.items()}
    reached = await resources.progress.wait_for(
        resources.engine, PROJECTOR, wanted, consistency.wait_seconds
    )
    if not reached:
        position = await read_positions(resources.engine, PROJECTOR)
        raise NotYetVisibleError(consistency.wait_seconds, position)


def standing(progress: Sequence[Progressed]) -> Standing:
    return Standing.of(progress, PROJECTOR, datetime.now(UTC))


def settings_of(request: Request) -> MetricsSettings:
    settings = request.app.state.resources.settings
    assert isinstance(settings, MetricsSettings)  # noqa: S101 - for the type checker
    return settings


def _described(kpi: Kpi) -> KpiView:
    return KpiView(
        kpi=kpi.id,
        name=kpi.name,
        definition=kpi.definition,
        unit=kpi.unit,
        shape=kpi.shape,
        scale=kpi.scale,
        dimensions=list(kpi.dims),
        lookahead_seconds=kpi.lookahead // SECOND,
        source=f"kpis {kpi.source}",
    )


def _point(kpi: Kpi, span: Span, point: Point, restated: set[datetime]) -> PointView:
    start, end = span.windows()[point.window]
    reading = point.reading
    view = PointView(
        start=start,
        end=end,
        dims={name: value for name, value in point.group.items() if value is not None},
        num=reading.num,
        den=reading.den,
        value=reading.value,
        n=reading.den,
        pending=point.pending,
        state=_state(kpi, end, span.as_of, point),
        restated=any(day < end and start < day + _ONE_DAY for day in restated),
        small=kpi.shape not in _SUMS and kpi.unit != "count" and reading.den < SMALL,
    )
    if reading.interval is not None:
        view.interval = reading.interval
    if kpi.shape == "distribution":
        view.percentiles = dict(reading.percentiles)
    return view


def _state(kpi: Kpi, end: datetime, as_of: datetime, point: Point) -> str:
    """`open` while it runs, `provisional` while something in it is undecided, then `final`."""
    if end > as_of:
        return "open"
    undecided = point.pending or as_of - end < timedelta(microseconds=kpi.lookahead)
    if kpi.id in {"ccr", "crr", "crr_classic"}:
        undecided = as_of - end < _CHURN_FINAL
    return "provisional" if undecided else "final"


def _note(points: Sequence[Point]) -> str | None:
    if any(point.reading.value is None for point in points):
        return "value is null where there is nothing to divide by: a rate of nothing is not 0"
    return None
