"""Why something was done for a customer, or was not: at any past moment."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from fastapi import APIRouter, Request, Response
from msgspec.structs import replace
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.problems import ApiError, FieldError
from rapport_runtime.http.views import answer
from rapport_runtime.pool import snapshot
from starlette.concurrency import run_in_threadpool

from rapport_personalization import steps
from rapport_personalization.api.asked import Reader
from rapport_personalization.api.people import person_of
from rapport_personalization.desk import AtDesk
from rapport_personalization.domain.trigger import Trigger
from rapport_personalization.effects import gate_document
from rapport_personalization.explaining import (
    Case,
    Explanation,
    explain,
    explain_logged,
    load_case,
    occasion,
)
from rapport_personalization.rules import Rulebook
from rapport_personalization.schemas.decisions import GateView
from rapport_personalization.schemas.explain import (
    AskedExplanation,
    CandidateView,
    ExplanationView,
)
from rapport_personalization.sentences import sentence
from rapport_personalization.standing import Unlogged, standing_of, told
from rapport_personalization.versions import Stored, load_version, load_versions

router = APIRouter(prefix="/v1/explain", tags=["decisions"], route_class=JsonRoute)


class NotYetError(ApiError):
    """An instant that has not come."""

    status_code = 422

    def __init__(self) -> None:
        reason = "lies in the future, of which nothing is known"
        super().__init__(f"at: {reason}", errors=[FieldError("/at", reason, "in_the_future")])


@router.post("", summary="Tell why, or why not", responses={200: {"model": ExplanationView}})
async def receive_question(
    request: Request, _: Reader, desk: AtDesk, asked: AskedExplanation
) -> Response:
    now = datetime.now(UTC)
    at = asked.at or now
    if at > now:
        raise NotYetError
    person = await person_of(desk, asked.customer)
    rulebook: Rulebook = request.app.state.rulebook
    stored = await _version(desk, asked)
    version = str(stored.version)
    async with desk.engine.connect() as tx:
        known = await rulebook.versions(tx, {(asked.trigger, version)})
        policies = await rulebook.policies(tx)
    trigger = known[asked.trigger, version]
    async with snapshot(desk.pool) as snap:
        case = await load_case(snap, person, at)
        stood = await steps.load(snap, asked.trigger, stored.version)
    candidate = await run_in_threadpool(
        occasion, case, trigger, policies, asked.anchor, stored.since
    )
    row = None if candidate is None else case.logged(candidate, policies)
    is_due = row is not None and row["send_at"] <= at
    is_other = row is not None and asked.version not in (None, int(row["version"]))
    if candidate is not None and row is not None and not is_due and not is_other:
        # Its quiet hours had changed by the time it was decided on.
        candidate = replace(candidate, send_at=row["send_at"])
    if row is None or not is_due or is_other:
        found = await run_in_threadpool(explain, case, trigger, candidate, policies, asked.anchor)
        by = row["version"] if row is not None and is_due else None
        return answer(_view(found, case, trigger, _unlogged(found, case, stored, stood, by)))
    async with desk.engine.connect() as tx:
        (then,) = (await rulebook.versions(tx, {(asked.trigger, row["version"])})).values()
        observed = await rulebook.policies_of(tx, row["policies"])
    found = await run_in_threadpool(partial(explain_logged, case, then, row, observed))
    return answer(_view(found, case, then))


async def _version(desk: AtDesk, asked: AskedExplanation) -> Stored:
    """Raises TriggerNotFoundError."""
    if asked.version is not None:
        return await load_version(desk.pool, asked.trigger, asked.version)
    versions = await load_versions(desk.pool, asked.trigger)
    force = (one for one in versions if one.state in {"live", "shadow", "paused"})
    return next(force, versions[0])


def _unlogged(
    found: Explanation, case: Case, version: Stored, stood: Sequence[steps.Step], by: str | None
) -> Unlogged | None:
    candidate = found.candidate
    if candidate is None:
        return None
    heard = told(candidate, case.moments)
    standing = standing_of(version, stood, candidate, heard, case.at)
    return Unlogged(str(version.version), standing, by)


def _view(
    found: Explanation, case: Case, trigger: Trigger, unlogged: Unlogged | None = None
) -> ExplanationView:
    candidate, row = found.candidate, found.logged
    return ExplanationView(
        customer=case.person.key,
        trigger=trigger.id,
        version=trigger.version,
        at=case.at,
        verdict=found.verdict,
        sentence=sentence(found, unlogged),
        candidate=None
        if candidate is None
        else CandidateView(
            anchor=candidate.anchor,
            about=candidate.thing,
            at=candidate.at,
            due=candidate.due,
            send_at=candidate.send_at,
            cause=None if candidate.key is None else candidate.key.hex(),
        ),
        gate=found.gate,
        gates=[GateView.model_validate(gate_document(gate)) for gate in found.gates],
        decision=None if row is None else row["id"].hex(),
        decided=None if row is None else row["outcome"],
        agrees=found.agrees,
        shadow=found.shadow,
        moments=found.moments,
    )
