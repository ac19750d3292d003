"""What to do for a customer next, with reasons; and what agents say to it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.views import Standing, answer
from rapport_runtime.pool import snapshot
from rapport_runtime.standing import load_progress

from rapport_personalization import suggested
from rapport_personalization.answering import settle
from rapport_personalization.api.asked import AgentReader, AgentWriter, Reader, Ref
from rapport_personalization.api.people import person_of
from rapport_personalization.consumer import PROJECTOR
from rapport_personalization.desk import AtDesk
from rapport_personalization.domain.suggestions import Suggestion, suggest
from rapport_personalization.known import load_known
from rapport_personalization.rules import Rulebook
from rapport_personalization.schemas.suggestions import (
    ActionView,
    AskedDismissal,
    FactView,
    HeldView,
    NextActionsView,
    OutcomesView,
    OutcomeView,
    SuggestionView,
)

router = APIRouter(prefix="/v1", tags=["suggestions"], route_class=JsonRoute)

_Id = Annotated[str, Path(max_length=64, description="Id of the suggestion")]

_COUNTS: Final = "SELECT rule, outcome, count FROM suggestion_count ORDER BY rule"

_SENTENCES: Final = {
    "answer_buyer": "They asked something while buying: answer now",
    "keep_promise": "We promised them something: keep it, or tell them when",
    "parcel_late": "Their parcel is late: tell them before they ask",
    "recover_detractor": "They gave us a bad score, and no better one since: make up for it",
    "save_subscription": "They have asked to cancel: find out why, and what would keep them",
    "payment_failed": "A payment of theirs failed: help them to pay",
    "keep_customer": "They will probably not come back, and this is what they are worth: call",
    "points_expiring": "Points of theirs lapse soon: remind them",
    "due_again": "They buy at intervals, and one is over: ask whether they need more",
    "birthday": "It is their birthday within a week: congratulate them",
}

_BECAUSE: Final = {
    "accepted": "somebody has done it",
    "dismissed": "somebody decided against it",
    "suppressed": "they are on the list of people whom we leave alone",
    "open_case": "a case of theirs is open: nothing is sold to who waits for us",
    "recent_bad_score": "they gave us a bad score lately",
    "no_consent": "they did not agree to be asked for business",
}


@router.get(
    "/customers/{ref}/next-actions",
    summary="Tell what to do for a customer next",
    responses={200: {"model": NextActionsView}},
)
async def read_next_actions(request: Request, _: AgentReader, desk: AtDesk, ref: Ref) -> Response:
    now = datetime.now(UTC)
    person = await person_of(desk, ref, "path")
    rulebook: Rulebook = request.app.state.rulebook
    async with desk.engine.connect() as tx:
        policies = await rulebook.policies(tx)
    async with snapshot(desk.pool) as snap:
        customer = await load_known(snap, person)
        rows = await suggested.load_rows(snap, person.members)
        standing = Standing.of(await load_progress(snap, PROJECTOR), PROJECTOR, now)
    found = suggest(customer, now, policies, suggested.answers(rows.values()))
    return answer(
        NextActionsView(
            customer=person.key,
            actions=[ActionView(**_shown(one)) for one in found.open],
            suppressed=_held(found.held),
            meta=standing,
        )
    )


@router.post(
    "/suggestions/{id}:accept",
    summary="Say that a suggestion was followed",
    responses={200: {"model": SuggestionView}},
)
async def receive_acceptance(agent: AgentWriter, desk: AtDesk, id: _Id) -> Response:  # noqa: A002 - the name in the path
    now = datetime.now(UTC)
    return answer(_view(await settle(desk.engine, id, "accepted", None, agent.name, now)))


@router.post(
    "/suggestions/{id}:dismiss",
    summary="Say that a suggestion is not followed, and why",
    responses={200: {"model": SuggestionView}},
)
async def receive_dismissal(
    agent: AgentWriter,
    desk: AtDesk,
    id: _Id,  # noqa: A002 - the name in the path
    asked: AskedDismissal,
) -> Response:
    now = datetime.now(UTC)
    return answer(_view(await settle(desk.engine, id, "dismissed", asked.reason, agent.name, now)))


@router.get(
    "/suggestions/outcomes",
    summary="Count what came of suggestions",
    responses={200: {"model": OutcomesView}},
)
async def read_outcomes(_: Reader, desk: AtDesk) -> Response:
    counts: dict[str, dict[str, int]] = {}
    for row in await desk.pool.fetch(_COUNTS):
        counts.setdefault(row["rule"], {})[row["outcome"]] = row["count"]
    return answer(OutcomesView(rules=[_outcome(rule, of) for rule, of in counts.items()]))


def _shown(one: Suggestion) -> dict[str, Any]:
    occasion = one.occasion
    return {
        "suggestion": one.id,
        "rule": one.rule,
        "sentence": _SENTENCES[one.rule],
        "priority": one.priority,
        "ref": occasion.ref,
        "since": occasion.begins,
        "until": occasion.ends,
        "due": occasion.due,
        "value": occasion.value,
        "currency": occasion.currency,
        "facts": [FactView(**suggested.fact_document(fact)) for fact in occasion.facts],
    }


def _held(all_: Sequence[Suggestion]) -> list[HeldView]:
    return [
        HeldView(
            **_shown(one),
            why=hold.why,
            because=_BECAUSE[hold.why],
            events=[key.hex() for key in hold.events if key],
            held_until=hold.until,
        )
        for one in all_
        if (hold := one.hold) is not None
    ]


def _view(row: suggested.Row) -> SuggestionView:
    return SuggestionView.model_validate(
        {
            "suggestion": row.suggestion,
            "customer": row.subject,
            "rule": row.rule,
            "ref": row.ref,
            "state": row.state,
            "made_at": row.made_at,
            "settled_at": row.settled_at,
            "settled_by": row.settled_by,
            "reason": row.reason,
        }
    )


def _outcome(rule: str, counts: dict[str, int]) -> OutcomeView:
    accepted, dismissed = counts.get("accepted", 0), counts.get("dismissed", 0)
    said = accepted + dismissed
    return OutcomeView(
        rule=rule,
        made=counts.get("made", 0),
        accepted=accepted,
        dismissed=dismissed,
        withdrawn=counts.get("withdrawn", 0),
        acceptance=accepted / said if said else None,
    )
