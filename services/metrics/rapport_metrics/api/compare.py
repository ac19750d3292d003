"""Two definitions of a KPI side by side."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from rapport_runtime.http.consistency import AskedConsistency
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.problems import ApiError, FieldError
from rapport_runtime.http.views import answer
from rapport_runtime.pool import Pool, snapshot
from rapport_runtime.standing import load_progress

from rapport_metrics.api.asking import KpiQuery, find_kpi
from rapport_metrics.api.definitions import defined
from rapport_metrics.api.kpis import (
    Reader,
    counted,
    from_kept_totals,
    make_question,
    settings_of,
    standing,
    view_of,
    wait_for,
)
from rapport_metrics.consumer import PROJECTOR
from rapport_metrics.restated import load_restated
from rapport_metrics.schemas import ComparedView, DefinedView
from rapport_metrics.series import load_points
from rapport_metrics.tables import FIRST

router = APIRouter(prefix="/v1/kpis", tags=["kpis"], route_class=JsonRoute)

_MOST: Final = 4


class CompareQuery(KpiQuery):
    """The query string of a comparison."""

    kpi: str = Field(max_length=64, examples=["fcr"])
    definitions: str = Field(
        max_length=300, description="Comma-separated", examples=["fcr.v1,fcr.v2"]
    )


class BadDefinitionsError(ApiError):
    """There is nothing to compare, or too much."""

    status_code = 422

    def __init__(self) -> None:
        reason = f"name two definitions of the KPI, {_MOST} at most"
        super().__init__(
            f"definitions: {reason}",
            errors=[FieldError("/definitions", reason, "bad_definitions", "query")],
        )


@router.get(
    "/compare", summary="Compare definitions of a KPI", responses={200: {"model": ComparedView}}
)
async def read_comparison(
    request: Request,
    _: Reader,
    query: Annotated[CompareQuery, Query()],
    consistency: AskedConsistency,
) -> Response:
    kpi, settings = find_kpi(query.kpi), settings_of(request)
    names = list(dict.fromkeys(name.strip() for name in query.definitions.split(",")))
    if not 2 <= len(names) <= _MOST:
        raise BadDefinitionsError
    versions = [defined(kpi, name, settings, "definitions") for name in names]
    asked = [make_question(version, query, settings) for version in versions]
    await wait_for(request, consistency)
    pool: Pool = request.app.state.pool
    async with snapshot(pool, hold=FIRST) as snap:
        progress = await load_progress(snap, PROJECTOR)
        asked = [await from_kept_totals(snap, question, settings) for question in asked]
        found = [await load_points(snap, question) for question in asked]
        changed = [await load_restated(snap, one) for one in asked]
    return answer(
        ComparedView(
            kpi=kpi.id,
            unit=kpi.unit,
            scale=kpi.scale,
            definitions=[
                DefinedView(
                    definition=question.kpi.definition,
                    counted=counted(question),
                    series=[view_of(question, point, restated) for point in points],
                )
                for question, points, restated in zip(asked, found, changed, strict=True)
            ],
            meta=standing(progress),
        )
    )
