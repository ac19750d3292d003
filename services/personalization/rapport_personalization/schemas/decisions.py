"""Decisions as the API answers them."""

from typing import Any, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from rapport_runtime.http.paging import MOST
from rapport_runtime.http.views import Instant, Standing, View

from rapport_personalization.domain.decision import Outcome

OUTCOMES = get_args(Outcome)


class DecisionsQuery(BaseModel):
    """The query string of the list."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    customer: str | None = Field(
        default=None, max_length=300, description="A subject id, or `email:…`, `user_id:…`"
    )
    trigger: str | None = Field(default=None, max_length=64)
    outcome: Outcome | None = None
    kind: Literal["task", "service", "marketing"] | None = None
    shadow: bool | None = None
    start: AwareDatetime | None = Field(default=None, alias="from", description="Decided for since")
    end: AwareDatetime | None = Field(default=None, alias="to", description="And before")
    cursor: str | None = Field(default=None, max_length=2_048)
    limit: int = Field(default=50, ge=1, le=MOST)


class GateView(View):
    """One question that was asked before acting."""

    name: str
    passed: bool
    value: str | None
    events: list[str] = Field(description="Keys of the events that set the value, hexadecimal")
    missing: list[str] = Field(description="Fields that a condition asked for and nobody knows")
    error: str | None = Field(
        default=None, description="Why a condition said neither yes nor no, though all was known"
    )


class DecisionView(View):
    """What was decided for a customer, and why."""

    decision: str
    trigger: str
    version: str
    kind: Literal["task", "service", "marketing"]
    customer: str
    anchor: str = Field(description="What it is decided at most once for")
    about: str | None = Field(description="The order, cart, ticket …")
    outcome: Outcome
    gate: str | None = Field(description="The first that stopped it")
    gates: list[GateView] = Field(description="All that were asked, in order")
    shadow: bool
    arm: Literal["treated", "control"] | None
    channel: str | None
    template: str | None
    offer: str | None
    at: Instant = Field(description="Of the event behind it")
    due: Instant
    send_at: Instant
    decided_at: Instant
    goal: str | None
    goal_until: Instant | None
    policies: str = Field(description="Their version")
    cause: str | None = Field(description="Key of the event behind it; null: the calendar")


class DecisionsPage(View):
    """The newest first."""

    decisions: list[DecisionView]
    next_cursor: str | None
    meta: Standing


def view_of(row: Any, gates: list[dict[str, Any]]) -> DecisionView:  # noqa: ANN401 - a row
    """A row of the table."""
    return DecisionView(
        decision=row["id"].hex(),
        trigger=row["trigger"],
        version=row["version"],
        kind=row["kind"],
        customer=str(row["subject_id"]),
        anchor=row["anchor"],
        about=row["thing"],
        outcome=row["outcome"],
        gate=row["gate"],
        gates=[GateView.model_validate(gate) for gate in gates],
        shadow=row["shadow"],
        arm=row["arm"],
        channel=row["channel"],
        template=row["template"],
        offer=row["offer"],
        at=row["at"],
        due=row["due"],
        send_at=row["send_at"],
        decided_at=row["decided_at"],
        goal=row["goal"],
        goal_until=row["goal_until"],
        policies=row["policies"],
        cause=None if row["cause"] is None else row["cause"].hex(),
    )
