"""What a trigger brings, and whether one can say so yet."""

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.problems import ApiError, FieldError
from rapport_runtime.http.views import answer
from rapport_runtime.pool import snapshot

from rapport_personalization.api.asked import Reader
from rapport_personalization.api.triggers import TriggerId
from rapport_personalization.desk import AtDesk
from rapport_personalization.documents import read_trigger
from rapport_personalization.domain.lift import Count, lift, planned_size
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.revenue import Sums
from rapport_personalization.domain.spending import Revenue
from rapport_personalization.domain.trigger import Trigger
from rapport_personalization.lifting import count_goals
from rapport_personalization.schemas.lift import (
    ArmView,
    LiftQuery,
    LiftView,
    RevenueView,
    SpentView,
)
from rapport_personalization.versions import Stored, load_version, load_versions

router = APIRouter(prefix="/v1/triggers", tags=["triggers"], route_class=JsonRoute)

_NOBODY_HELD_OUT: Final = "this version holds nobody out, so there is nothing to compare with"


class NoGoalError(ApiError):
    """The version names nothing that it is meant to bring about."""

    status_code = 422

    def __init__(self) -> None:
        super().__init__("this version has no `goal`, so there is nothing to compare; add one")


class FutureError(ApiError):
    """An instant that has not come."""

    status_code = 422

    def __init__(self) -> None:
        reason = "lies in the future, of which nothing is known"
        super().__init__(
            f"as_of: {reason}", errors=[FieldError("/as_of", reason, "in_the_future", "query")]
        )


@router.get(
    "/{id}/lift", summary="Tell what a trigger brings", responses={200: {"model": LiftView}}
)
async def read_lift(
    _: Reader, desk: AtDesk, id_: TriggerId, asked: Annotated[LiftQuery, Query()]
) -> Response:
    now = datetime.now(UTC)
    as_of = asked.as_of or now
    if as_of > now:
        raise FutureError
    stored = await _version(desk, id_, asked.version)
    trigger = read_trigger(stored.source, str(stored.version))
    goal = trigger.goal
    if goal is None:
        raise NoGoalError
    policies = _policies(desk)
    async with snapshot(desk.pool) as snap:
        found = await count_goals(snap, trigger, goal, policies, asked.start, as_of)
    said = lift(found.treated, found.control, found.pending, _planned(asked))
    return answer(
        LiftView(
            trigger=trigger.id,
            version=trigger.version,
            goal=goal.name,
            within_seconds=int(goal.within.total_seconds()),
            as_of=as_of,
            treated=_arm(said.treated),
            control=_arm(said.control),
            pending=said.pending,
            mixed=found.mixed,
            uplift=said.uplift,
            relative=said.relative,
            incremental=said.incremental,
            z=said.z,
            p=said.p,
            interval=None if said.interval is None else list(said.interval),
            verdict=said.verdict,
            reason=said.reason if said.control.units or _holds_out(trigger) else _NOBODY_HELD_OUT,
            planned=said.planned,
            revenue=[_revenue(one) for one in found.spending.compare(said.planned)],
        )
    )


async def _version(desk: AtDesk, id_: str, version: int | None) -> Stored:
    if version is not None:
        return await load_version(desk.pool, id_, version)
    versions = await load_versions(desk.pool, id_)
    return next((one for one in versions if one.state in {"live", "shadow"}), versions[0])


def _holds_out(trigger: Trigger) -> bool:
    return trigger.kind == "marketing" and (trigger.holdout > 0 or trigger.global_holdout)


def _policies(desk: AtDesk) -> Policies:
    """Only the zone matters to a goal: the settings' is good enough."""
    settings = desk.settings
    return settings.policies.policies("0", settings.tenant, settings.deciding.too_late_hours)


def _planned(asked: LiftQuery) -> int | None:
    if asked.base is None or asked.wanted is None:
        return None
    return planned_size(asked.base, asked.wanted)


def _arm(count: Count) -> ArmView:
    return ArmView(units=count.units, conversions=count.conversions, share=count.share)


def _revenue(one: Revenue) -> RevenueView:
    treated, control, found = _spent(one.treated), _spent(one.control), one.welch
    means = treated.per_person, control.per_person
    return RevenueView(
        currency=one.currency,
        treated=treated,
        control=control,
        difference=None if None in means else one.treated.mean - one.control.mean,
        t=None if found is None else found.t,
        p=None if found is None else found.p,
        verdict=one.verdict,
        reason=one.reason,
    )


def _spent(sums: Sums) -> SpentView:
    return SpentView(people=sums.people, per_person=sums.mean if sums.people else None)
