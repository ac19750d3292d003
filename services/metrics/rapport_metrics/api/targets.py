"""What KPIs should be, and which are not."""

from typing import Annotated, Final, Self

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from rapport_runtime.contract import Resources
from rapport_runtime.http.auth import Principal, requires
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.problems import ApiError
from rapport_runtime.http.views import answer
from rapport_runtime.pool import Pool, snapshot

from rapport_metrics.api.asking import BadDimensionError, find_kpi
from rapport_metrics.api.kpis import Reader
from rapport_metrics.schemas import AlertsView, TargetsView, TargetView
from rapport_metrics.targets import MILLIONTHS, Target, drop_target, load_targets, put_target

router = APIRouter(prefix="/v1", tags=["targets"], route_class=JsonRoute)

Writer = Annotated[Principal, requires("ops:write")]
Name = Annotated[
    str, Path(max_length=64, pattern=r"^[a-z0-9][a-z0-9_-]*$", examples=["nps-of-email"])
]

_NO_CURRENCY: Final = (
    'amounts of different currencies are never added: name the one, such as {"currency": "EUR"}'
)

_Bound = Annotated[float | None, Field(ge=-(2**40), le=2**40, allow_inf_nan=False)]


class AskedTarget(BaseModel):
    """What a KPI of the last days should be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kpi: str = Field(max_length=64)
    dims: dict[str, str] = Field(default={}, max_length=4)
    window_days: int = Field(default=30, ge=1, le=365)
    at_least: _Bound = None
    at_most: _Bound = None
    least_den: int = Field(default=10, ge=0, le=2**31 - 1, description="Fewer units say nothing")

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("give at_least, at_most or both")
        return self


class TargetNotFoundError(ApiError):
    """There is no target of this name."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__("there is no target of this name; GET /v1/targets lists them")


@router.get("/targets", summary="List targets", responses={200: {"model": TargetsView}})
async def read_targets(request: Request, _: Reader) -> Response:
    return answer(TargetsView(targets=[_view(one) for one in await _load(request)]))


@router.put("/targets/{name}", summary="Set a target", responses={200: {"model": TargetView}})
async def receive_target(request: Request, _: Writer, name: Name, asked: AskedTarget) -> Response:
    kpi = find_kpi(asked.kpi)
    for dim in asked.dims:
        if dim not in kpi.dims:
            raise BadDimensionError("dims", f"{kpi.id} has {', '.join(kpi.dims) or 'none'}")
    if "currency" in kpi.dims and "currency" not in asked.dims:
        raise BadDimensionError("dims", _NO_CURRENCY)
    target = Target(
        name, kpi.id, asked.dims, asked.window_days, _millionths(asked.at_least),
        _millionths(asked.at_most), asked.least_den,
    )  # fmt: skip
    resources: Resources = request.app.state.resources
    async with resources.engine.begin() as tx:
        await put_target(tx, target)
    return answer(_view(target))


@router.delete("/targets/{name}", summary="Drop a target", status_code=204)
async def receive_drop(request: Request, _: Writer, name: Name) -> Response:
    resources: Resources = request.app.state.resources
    async with resources.engine.begin() as tx:
        if not await drop_target(tx, name):
            raise TargetNotFoundError
    return Response(status_code=204)


@router.get("/alerts", summary="List missed targets", responses={200: {"model": AlertsView}})
async def read_alerts(request: Request, _: Reader) -> Response:
    raised = [_view(one) for one in await _load(request) if one.is_raised]
    return answer(AlertsView(alerts=raised))


async def _load(request: Request) -> list[Target]:
    pool: Pool = request.app.state.pool
    async with snapshot(pool) as snap:
        return await load_targets(snap)


def _millionths(value: float | None) -> int | None:
    return None if value is None else round(value * MILLIONTHS)


def _units(value: int | None) -> float | None:
    return None if value is None else value / MILLIONTHS


def _view(target: Target) -> TargetView:
    return TargetView(
        name=target.name,
        kpi=target.kpi,
        dims=dict(target.dims),
        window_days=target.window_days,
        at_least=_units(target.at_least),
        at_most=_units(target.at_most),
        least_den=target.least_den,
        raised=target.is_raised,
        changed_at=target.changed_at,
        value=_units(target.value),
    )
