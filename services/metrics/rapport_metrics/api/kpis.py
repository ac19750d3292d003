"""The KPIs: what there are, and what they say."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field
from rapport_runtime.contract import Resources
from rapport_runtime.http.auth import Principal, requires
from rapport_runtime.http.consistency import AskedConsistency, NotYetVisibleError
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.views import Standing, answer
from rapport_runtime.pool import Pool, Snapshot, snapshot
from rapport_runtime.progress import read_positions
from rapport_runtime.standing import Progressed, load_progress

from rapport_metrics.api.asking import KpiQuery, filters_of, find_kpi, groups_of, span_of
from rapport_metrics.api.definitions import Defined, defined, definitions_of
from rapport_metrics.consumer import PROJECTOR
from rapport_metrics.domain.catalogue import CATALOGUE, Kpi
from rapport_metrics.domain.instants import DAY, SECOND
from rapport_metrics.domain.interval import SMALL
from rapport_metrics.kept import load_kept, suffix
from rapport_metrics.models import load_newest, warning
from rapport_metrics.question import Question, lookahead
from rapport_metrics.restated import is_restated, load_restated
from rapport_metrics.schemas import CatalogueView, Counted, KpiView, PointView, SeriesView
from rapport_metrics.series import Point, load_points
from rapport_metrics.settings import MetricsSettings
from rapport_metrics.tables import FIRST

_CHURN_FINAL: Final = timedelta(days=30)
_SUMS: Final = frozenset({"total", "level"})

router = APIRouter(prefix="/v1/kpis", tags=["kpis"], route_class=JsonRoute)

Reader = Annotated[Principal, requires("metrics:read")]
KpiPath = Annotated[str, Path(max_length=64, examples=["nps"])]


@router.get("", summary="List the KPIs", responses={200: {"model": CatalogueView}})
async def read_catalogue(request: Request, _: Reader) -> Response:
    settings = settings_of(request)
    return answer(CatalogueView(kpis=[_described(kpi, settings) for kpi in CATALOGUE.values()]))


class ReadQuery(KpiQuery):
    """The query string of one KPI."""

    definition: str | None = Field(
        default=None, max_length=100, description="Another version than the one in force"
    )


@router.get("/{kpi}", summary="Read one KPI", responses={200: {"model": SeriesView}})
async def read_kpi(
    request: Request,
    _: Reader,
    kpi: KpiPath,
    query: Annotated[ReadQuery, Query()],
    consistency: AskedConsistency,
) -> Response:
    settings = settings_of(request)
    version = defined(find_kpi(kpi), query.definition, settings)
    question, asked = make_question(version, query, settings), version.kpi
    await wait_for(request, consistency)
    pool: Pool = request.app.state.pool
    async with snapshot(pool, hold=FIRST) as snap:
        progress = await load_progress(snap, PROJECTOR)
        question = await from_kept_totals(snap, question, settings)
        points = await load_points(snap, question)
        warned = await _warning(snap, asked)
        restated = await load_restated(snap, question)
    return answer(
        SeriesView(
            kpi=asked.id,
            name=asked.name,
            definition=asked.definition,
            unit=asked.unit,
            scale=asked.scale,
            as_of=question.as_of,
            counted=counted(question),
            series=[view_of(question, point, restated) for point in points],
            meta=standing(progress),
            note=_note(question, points) or warned,
        )
    )


def make_question(version: Defined, query: KpiQuery, settings: MetricsSettings) -> Question:
    """Raises BadWindowError, BadDimensionError."""
    now = datetime.now(UTC)
    span = span_of(query, ZoneInfo(settings.kpi.zone), now, query.grain)
    return Question(
        kpi=version.kpi,
        windows=span.windows(),
        as_of=span.as_of,
        group_by=groups_of(query, version.kpi),
        filters=filters_of(query, version.kpi),
        churn_window=(query.window_days or settings.kpi.churn_window_days) * DAY,
        options=version.options,
        is_past=query.as_of is not None,
        is_recounted=version.is_recounted,
        known_at=now,
    )


async def from_kept_totals(
    snap: Snapshot, question: Question, settings: MetricsSettings
) -> Question:
    """The question, to be answered from totals where some are kept by this version."""
    definition = question.kpi.definition
    if not question.is_recounted or definition not in await load_kept(snap, settings.definitions()):
        return question
    return question._replace(is_recounted=False, suffix=suffix(definition))


def counted(question: Question) -> Counted:
    return "when_asked" if question.is_recounted else "kept"


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


def _described(kpi: Kpi, settings: MetricsSettings) -> KpiView:
    return KpiView(
        kpi=kpi.id,
        name=kpi.name,
        definition=kpi.definition,
        definitions=definitions_of(kpi, settings),
        unit=kpi.unit,
        shape=kpi.shape,
        scale=kpi.scale,
        dimensions=list(kpi.dims),
        lookahead_seconds=lookahead(kpi, settings.options()) // SECOND,
        source=f"kpis {kpi.source}",
    )


def view_of(question: Question, point: Point, restated: set[datetime]) -> PointView:
    """`restated`: the days that were, by their beginning."""
    kpi, (start, end), reading = question.kpi, question.windows[point.window], point.reading
    view = PointView(
        start=start,
        end=end,
        dims={name: value for name, value in point.group.items() if value is not None},
        num=reading.num,
        den=reading.den,
        value=reading.value,
        n=reading.den,
        pending=point.pending,
        state=_state(question, end, point),
        restated=is_restated(kpi, (start, end), restated),
        small=kpi.shape not in _SUMS and kpi.unit != "count" and reading.den < SMALL,
    )
    if reading.interval is not None:
        view.interval = reading.interval
    if kpi.shape == "distribution":
        view.percentiles = dict(reading.percentiles)
    return view


def _state(question: Question, end: datetime, point: Point) -> str:
    """`open` while it runs, `provisional` while something in it is undecided, then `final`."""
    if end > question.seen_at:
        return "open"
    since = question.seen_at - end
    undecided = point.pending or since < timedelta(microseconds=question.lookahead)
    if question.kpi.id in {"ccr", "crr", "crr_classic"}:
        undecided = since < _CHURN_FINAL
    return "provisional" if undecided else "final"


async def _warning(snap: Snapshot, kpi: Kpi) -> str | None:
    kept = (await load_newest(snap)).get("forecast") if kpi.id == "clv_predicted" else None
    return None if kept is None else warning(kept)


def _note(question: Question, points: Sequence[Point]) -> str | None:
    if question.seen_at < question.as_of:
        return "as_of lies ahead: what is known now, and what falls due by then if nothing happens"
    if any(point.reading.value is None for point in points):
        return "value is null where there is nothing to divide by: a rate of nothing is not 0"
    return None
