"""What buyers will do, all together."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from rapport_runtime.contract import Resources
from rapport_runtime.http.auth import Principal, requires
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.problems import ApiError
from rapport_runtime.http.views import answer
from rapport_runtime.pool import Pool, snapshot

from rapport_metrics import models
from rapport_metrics.api.kpis import Reader, settings_of
from rapport_metrics.models import Kept, fit_now, load_newest
from rapport_metrics.schemas import ForecastView, ModelsView, ModelView, RiskView

router = APIRouter(prefix="/v1", tags=["predictions"], route_class=JsonRoute)

Writer = Annotated[Principal, requires("ops:write")]


class PredictionsMissingError(ApiError):
    """This installation cannot predict."""

    status_code = 501

    def __init__(self) -> None:
        super().__init__("predictions need scipy: pip install 'rapport-metrics[clv]'")


class TooFewBuyersError(ApiError):
    """There is not enough to learn from."""

    status_code = 409


class UndeterminedModelError(ApiError):
    """There are purchases enough, and still nothing follows from them."""

    status_code = 409


class FitRunningError(ApiError):
    """Two fits at once would be one too many."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__("a fit is running; GET /v1/models says when it is done")


class NoForecastError(ApiError):
    """Nothing was fitted yet."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__("nothing was predicted yet; POST /v1/models:fit does, and so does night")


@router.post("/models:fit", summary="Fit now", responses={200: {"model": ModelsView}})
async def receive_fit(request: Request, _: Writer) -> Response:
    resources: Resources = request.app.state.resources
    margin = settings_of(request).kpi.clv_margin
    try:
        kept = await fit_now(resources.engine, datetime.now(UTC), margin)
    except models.PredictionsMissingError:
        raise PredictionsMissingError from None
    except models.FitRunningError:
        raise FitRunningError from None
    except models.TooFewBuyersError as error:
        raise TooFewBuyersError(str(error)) from None
    except ValueError as error:
        raise UndeterminedModelError(str(error)) from None
    return answer(_models({one.kind: one for one in kept}))


@router.get("/models", summary="List the models", responses={200: {"model": ModelsView}})
async def read_models(request: Request, _: Reader) -> Response:
    return answer(_models(await _newest(request)))


@router.get(
    "/predictions/summary",
    summary="Read what buyers will do",
    responses={200: {"model": ForecastView}},
)
async def read_summary(request: Request, _: Reader) -> Response:
    kept = (await _newest(request)).get("forecast")
    if kept is None:
        raise NoForecastError
    document = kept.document
    return answer(
        ForecastView(
            as_of=kept.as_of,
            fitted_at=kept.fitted_at,
            buyers=document["buyers"],
            repeaters=document["repeaters"],
            expected_orders_90d=document["expected_orders"],
            churn_risk_90d=_risks(document["risks"]),
            currency=document["currency"],
            clv_sum=document["value"],
            clv_mean=document["value"] / document["buyers"],
            margin=document["margin"],
            correlation=document["correlation"],
            warnings=[] if (said := models.warning(kept)) is None else [said],
        )
    )


async def _newest(request: Request) -> dict[str, Kept]:
    try:
        models.require_predictions()
    except models.PredictionsMissingError:
        raise PredictionsMissingError from None
    pool: Pool = request.app.state.pool
    async with snapshot(pool) as snap:
        return await load_newest(snap)


def _models(kept: dict[str, Kept]) -> ModelsView:
    return ModelsView(
        models=[
            ModelView(
                kind=kind, fitted_at=kept[kind].fitted_at, as_of=kept[kind].as_of,
                **kept[kind].document,
            )
            for kind in ("bgnbd", "gamma_gamma")
            if kind in kept
        ],
        needs={"buyers": models.LEAST_BUYERS, "repeaters": models.LEAST_REPEATERS},
    )  # fmt: skip


def _risks(tenths: list[int]) -> list[RiskView]:
    return [
        RiskView(at_least=place / len(tenths), below=(place + 1) / len(tenths), buyers=buyers)
        for place, buyers in enumerate(tenths)
    ]
