"""Surveys, and who was invited to them, as the API takes and answers them."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from rapport_events.event import SUBJECT_PATTERN
from rapport_runtime.http.paging import MOST
from rapport_runtime.http.views import Instant, View

from rapport_feedback.domain.definition import Definition
from rapport_feedback.schemas.feedback import Meta

State = Literal["waiting", "sent", "not_invited"]
Reason = Literal[
    "erased",
    "retired",
    "already_asked",
    "not_sampled",
    "open_case",
    "no_consent",
    "throttled",
    "no_channel",
    "too_late",
]

_Ref = Annotated[str | None, Field(min_length=1, max_length=256)]


class SurveyView(View):
    """One version of a survey."""

    id: str
    version: int
    state: Literal["draft", "live", "retired"]
    definition: Definition
    created_at: Instant
    created_by: str
    live_at: Instant | None = Field(description="Events before it invite nobody")
    retired_at: Instant | None


class SurveysView(View):
    """Of each survey what is live, or else its newest version."""

    surveys: list[SurveyView]


class VersionsView(View):
    """All versions of a survey, the newest first."""

    versions: list[SurveyView]


class InvitationsQuery(BaseModel):
    """The query string of the list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: State | None = None
    reason: Reason | None = None
    cursor: str | None = Field(
        default=None, max_length=2_048, description="`next_cursor` of the page before"
    )
    limit: int = Field(default=50, ge=1, le=MOST, description="Invitations on a page")


class InvitationView(View):
    """Somebody who was eligible, and what became of it."""

    survey: str
    version: int
    rule: str | None = Field(description="Null: asked by hand, or by a publisher")
    anchor: str = Field(description="The reason to ask", examples=["ticket:T-1042"])
    customer: str
    state: State
    reason: Reason | None
    channel: str | None
    language: str | None
    refs: dict[str, str]
    happened_at: Instant
    due_at: Instant
    send_at: Instant
    decided_at: Instant | None
    expires_at: Instant | None


class Counts(View):
    """Everybody who was eligible: eligible = waiting + sent + all of not_invited."""

    eligible: int
    waiting: int
    sent: int
    not_invited: dict[str, int] = Field(description="By reason")


class InvitationsPage(View):
    """The latest due first."""

    counts: Counts
    invitations: list[InvitationView]
    next_cursor: str | None
    meta: Meta


class Recipient(BaseModel):
    """A customer, by one of the two."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: Annotated[str, StringConstraints(pattern=SUBJECT_PATTERN)] | None = None
    identifiers: Annotated[dict[str, str | int], Field(min_length=1, max_length=8)] | None = Field(
        default=None, examples=[{"user_id": "u-97"}]
    )

    @model_validator(mode="after")
    def _is_named_once(self) -> Self:
        if (self.subject is None) == (self.identifiers is None):
            raise ValueError("give `subject` or `identifiers`")
        return self


class AskedInvitations(BaseModel):
    """Whom to ask now. The gates are those of every invitation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: list[Recipient] = Field(min_length=1, max_length=1_000)
    key: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$")] | None = Field(
        default=None,
        description="The reason to ask: nobody is asked twice under the same. Or as the header "
        "`Idempotency-Key`",
        examples=["after-webinar-7"],
    )
    deliver: bool = Field(default=True, description="Off: you show the link yourself, now")
    link: bool = Field(default=False, description="Answer links; needs the scope profile:pii")
    ticket: _Ref = None
    order: _Ref = None
    agent: _Ref = None
    team: _Ref = None


class InvitedView(View):
    """What became of one recipient, in the order of the request."""

    outcome: Literal["sent", "waiting", "not_invited", "unknown"] = Field(
        description="waiting: they sleep, see send_at. unknown: nobody is known by that name"
    )
    survey: str | None = None
    reason: Reason | None = None
    send_at: Instant | None = None
    expires_at: Instant | None = None
    link: str | None = None


class InvitedList(View):
    """One for each recipient."""

    invitations: list[InvitedView]
