"""What is expected of a customer, worked out when asked; and the nights in which everybody is."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Response
from rapport_runtime.http.auth import Principal, requires
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.problems import ApiError
from rapport_runtime.http.views import Standing, answer
from rapport_runtime.pool import Pool, snapshot
from rapport_runtime.standing import load_progress

from rapport_personalization import scores
from rapport_personalization.api.asked import AgentReader, Ref
from rapport_personalization.api.people import person_of
from rapport_personalization.consumer import PROJECTOR
from rapport_personalization.desk import AtDesk
from rapport_personalization.domain.prediction import HORIZON_DAYS
from rapport_personalization.domain.scoring import Model, Models, Scored, midnight, score_of
from rapport_personalization.known import load_known
from rapport_personalization.schemas.scores import (
    InputsView,
    ModelView,
    NightsView,
    NightView,
    PurchaseView,
    ScoresView,
    ScoreView,
    ToldView,
    ValueView,
)
from rapport_personalization.scoring import begin

router = APIRouter(tags=["scores"], route_class=JsonRoute)

OpsReader = Annotated[Principal, requires("ops:read")]
OpsWriter = Annotated[Principal, requires("ops:write")]

_NIGHTS: Final = """
SELECT day, phase, people, told, clv_top, started_at, touched_at, finished_at FROM scoring
ORDER BY day DESC LIMIT $1
"""
_TOP: Final = """
SELECT clv_top FROM scoring WHERE since IS NOT NULL ORDER BY since DESC LIMIT 1
"""
_SHOWN: Final = 60


class NoModelError(ApiError):
    """Nothing can be scored yet."""

    status_code = 409

    def __init__(self) -> None:
        super().__init__(
            "no model was fitted yet, so nobody can be scored; the metrics service fits one at"
            " night when enough has been bought, or by POST /v1/models:fit"
        )


@router.get(
    "/v1/customers/{ref}/scores",
    summary="Tell what is expected of a customer",
    responses={200: {"model": ScoresView}},
)
async def read_scores(_: AgentReader, desk: AtDesk, ref: Ref) -> Response:
    now = datetime.now(UTC)
    person = await person_of(desk, ref, "path")
    async with snapshot(desk.pool) as snap:
        models = await scores.load_models(snap, desk.settings.scoring.margin)
        customer = await load_known(snap, person)
        kept = await scores.load_rows_of(snap, person.members)
        top = await snap.fetchval(_TOP)
        standing = Standing.of(await load_progress(snap, PROJECTOR), PROJECTOR, now)
    said = score_of(models, customer, now.date())
    told = next(iter(kept[one].told for one in person.members if one in kept), {})
    return answer(
        ScoresView(
            customer=person.key,
            as_of=midnight(now.date()),
            horizon_days=HORIZON_DAYS,
            inputs=_inputs(said, models),
            models=[] if models is None else _models(models),
            churn_risk=ScoreView(
                value=None if said.forecast is None else said.forecast.churn_risk,
                reason=said.why,
                told=_told(told.get("churn_risk")),
            ),
            next_purchase=_purchase(said, now.date()),
            clv=_value(said, models, _told(told.get("clv")), top),
            meta=standing,
        )
    )


@router.post(
    "/v1/ops/scores:run",
    status_code=202,
    tags=["ops"],
    summary="Score everybody now, once a day",
    responses={202: {"model": NightView}},
)
async def receive_run(_: OpsWriter, desk: AtDesk) -> Response:
    """A worker does it: it looks every few seconds for a night that is open."""
    now = datetime.now(UTC)
    if not await begin(desk.engine, desk.settings.scoring, now):
        raise NoModelError
    (night,) = await _nights(desk.pool, 1)
    found = answer(night)
    found.status_code = 202
    return found


@router.get(
    "/v1/ops/scores",
    tags=["ops"],
    summary="List the nights in which everybody was scored",
    responses={200: {"model": NightsView}},
)
async def read_nights(_: OpsReader, desk: AtDesk) -> Response:
    return answer(NightsView(nights=await _nights(desk.pool, _SHOWN)))


async def _nights(pool: Pool, limit: int) -> list[NightView]:
    return [NightView.model_validate(dict(row)) for row in await pool.fetch(_NIGHTS, limit)]


def _inputs(said: Scored, models: Models | None) -> InputsView | None:
    one = said.bought
    if one is None:
        return None
    return InputsView(
        x=one.x,
        t_x=one.t_x,
        T=one.age,
        monetary=one.repeat_amount / one.x if one.x else None,
        currency=None if models is None else models.currency,
    )


def _models(models: Models) -> list[ModelView]:
    both: list[Model | None] = [models.of_buying, models.of_spending]
    return [
        ModelView(
            model="bgnbd" if one.model == "bgnbd" else "gamma_gamma",
            id=one.key.hex(),
            fitted_at=one.fitted_at,
            as_of=one.as_of,
            buyers=one.buyers,
        )
        for one in both
        if one is not None
    ]


def _told(said: Any) -> ToldView | None:  # noqa: ANN401 - a document of ours
    if said is None:
        return None
    return ToldView(value=said["value"], at=datetime.fromisoformat(said["at"]))


def _purchase(said: Scored, day: date) -> PurchaseView:
    if said.forecast is None:
        return PurchaseView(expected_on=None, purchases=None, reason=said.why)
    days = said.forecast.next_purchase_days
    if days is None:
        return PurchaseView(expected_on=None, purchases=said.forecast.purchases, reason="unlikely")
    yesterday = day - timedelta(days=1)
    return PurchaseView(
        expected_on=_later(yesterday, days), purchases=said.forecast.purchases, reason=None
    )


def _later(day: date, days: float) -> date | None:
    """None: so far away that calendars end before."""
    return None if days > (date.max - day).days else day + timedelta(days=round(days))


def _value(
    said: Scored, models: Models | None, told: ToldView | None, top: float | None
) -> ValueView:
    value = None if said.forecast is None else said.forecast.value
    missing = "no_amounts" if said.forecast is not None and value is None else said.why
    return ValueView(
        value=value,
        reason=missing,
        told=told,
        currency=None if models is None else models.currency,
        is_top=None if value is None or top is None else value >= top,
    )
