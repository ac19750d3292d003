"""One candidate decided about, after what came before."""

from datetime import datetime, timedelta

from rapport_events import wire
from rapport_personalization.domain.deciding import decide
from rapport_personalization.domain.decision import Decision, Outcome, Past
from rapport_personalization.domain.fields import schema
from rapport_personalization.domain.fold import folded
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.trigger import Trigger

from tests.support.decisions import (
    ADA,
    HOUR,
    NOON,
    POLICIES,
    a_candidate,
    a_customer,
    a_trigger,
    moment,
)

SCHEMA = schema([])


def decided(
    *moments: Moment,
    trigger: Trigger | None = None,
    past: tuple[Past, ...] = (),
    policies: Policies = POLICIES,
    decided_at: datetime | None = None,
    budget_left: int | None = None,
    shadow: bool = False,
) -> Decision:
    rule = trigger or a_trigger()
    customer = folded(ADA, [*a_customer(), *moments])
    return decide(
        rule,
        a_candidate(rule),
        customer,
        past,
        policies,
        now=NOON,
        decided_at=decided_at,
        budget_left=budget_left,
        shadow=shadow,
    )


def earlier(
    ago: timedelta,
    *,
    trigger: str = "other",
    outcome: Outcome = "sent",
    person: str = ADA,
    scope: str | None = None,
    shadow: bool = False,
) -> Past:
    return Past(
        trigger=trigger,
        person=person,
        anchor="a",
        send_at=NOON - ago,
        rank=1,
        kind="marketing",
        outcome=outcome,
        arm={"sent": "treated", "holdout": "control"}.get(outcome),  # type: ignore[arg-type]
        scope=scope or f"trigger:{trigger}",
        shadow=shadow,
    )


def a_case(ago: timedelta = HOUR) -> Moment:
    return moment(wire.TicketCreated(ticket="t1"), NOON - ago)


def an_answer(ago: timedelta, score: int = 1) -> Moment:
    return moment(wire.SurveyResponded(survey="v", kind="nps", score=score), NOON - ago)


def withdrawn() -> Moment:
    return moment(wire.ConsentWithdrawn(purpose="marketing"), NOON - HOUR)
