"""Back-tests as the API answers them."""

from datetime import UTC, datetime, timedelta
from typing import Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from rapport_runtime.http.paging import MOST
from rapport_runtime.http.views import Instant, View

from rapport_personalization.domain.decision import Outcome
from rapport_personalization.schemas.decisions import GateView

LONGEST: Final = timedelta(days=3 * 366)

State = Literal["queued", "running", "done", "cancelled", "failed"]


class AskedBacktest(BaseModel):
    """What a version would have decided for [from, to)."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    version: int = Field(
        ge=1, le=2**31 - 1, strict=True, description="Any of the trigger's, drafts too"
    )
    start: AwareDatetime = Field(alias="from", examples=["2026-01-01T00:00:00Z"])
    end: AwareDatetime = Field(alias="to", examples=["2026-02-01T00:00:00Z"])
    sample: float = Field(
        default=1.0,
        gt=0,
        le=1,
        strict=True,
        description="Share of the people, always the same ones",
    )

    @model_validator(mode="after")
    def _is_a_period(self) -> Self:
        if self.start >= self.end:
            raise ValueError("`from` must be before `to`")
        if self.end - self.start > LONGEST:
            raise ValueError("the period must not be longer than three years")
        return self

    @property
    def period(self) -> tuple[datetime, datetime]:
        return self.start.astimezone(UTC), self.end.astimezone(UTC)


class BacktestsQuery(BaseModel):
    """The query string of the list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cursor: str | None = Field(default=None, max_length=2_048)
    limit: int = Field(default=20, ge=1, le=MOST)


class FoundQuery(BaseModel):
    """The query string of the decisions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: Outcome | None = None
    cursor: str | None = Field(default=None, max_length=2_048)
    limit: int = Field(default=50, ge=1, le=MOST)


class DayView(View):
    """How many were decided in which way for a day, in UTC."""

    day: str
    outcomes: dict[str, int]


class HourView(View):
    """How many would have been spoken to in an hour."""

    hour: Instant
    sent: int


class OverlapView(View):
    """Decisions beside which this other trigger did send something to the same person."""

    trigger: str
    within_24h: int
    same_day: int = Field(description="In UTC")


class FoundView(View):
    """What would have been decided about somebody."""

    decision: str = Field(description="The id that the decision has, or would have had")
    customer: str
    anchor: str
    about: str | None
    outcome: Outcome
    gate: str | None
    arm: Literal["treated", "control"] | None
    channel: str | None
    at: Instant
    due: Instant
    send_at: Instant
    gates: list[GateView] | None = Field(description="Of the samples only")


class ResultView(View):
    """What the version would have done."""

    basis: Literal["in_force", "as_if"] = Field(
        description="in_force: it was, so this is what it did; as_if: as if it had been for ever"
    )
    moments: int = Field(description="Known of the time before `to`")
    people: int = Field(description="About whom something would have been decided")
    contacted: int = Field(description="People to whom something would have been sent")
    outcomes: dict[str, int] = Field(description="How many were sent, and what stopped the others")
    channels: dict[str, int]
    days: list[DayView]
    hours: list[HourView] = Field(description="Hours in which something would have been sent")
    peak: HourView | None
    overlapping: int = Field(description="Sent within a day of what another trigger did send")
    overlap: list[OverlapView]
    agreement: dict[str, int] = Field(
        description="in_force: decisions that are the same as in the log, and that are not"
    )


class BacktestView(View):
    """A back-test: how far it is, and what came of it."""

    id: str
    trigger: str
    version: int
    start: Instant = Field(serialization_alias="from")
    end: Instant = Field(serialization_alias="to")
    sample: float
    state: State
    progress: float = Field(description="0 to 1")
    events: int = Field(description="Events that were read")
    events_per_second: int | None
    attempts: int = Field(description="More than one: the process that ran it was lost")
    reason: str | None = Field(description="Why it failed")
    created_at: Instant
    created_by: str
    started_at: Instant | None
    ended_at: Instant | None
    result: ResultView | None = None
    samples: list[FoundView] | None = Field(
        default=None, description="A few of each outcome, with all their gates"
    )


class BacktestsView(View):
    """The newest first, without their results."""

    backtests: list[BacktestView]
    next_cursor: str | None


class FoundPage(View):
    """By the time that they would have been decided for."""

    decisions: list[FoundView]
    next_cursor: str | None
