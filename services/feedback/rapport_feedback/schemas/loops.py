"""Follow-ups as the API takes and answers them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from rapport_runtime.http.paging import MOST
from rapport_runtime.http.views import Instant, View

from rapport_feedback.domain.definition import About
from rapport_feedback.schemas.feedback import ErasedView, Meta, UnreadableView

_Label = Annotated[str | None, Field(max_length=256)]


class LoopsQuery(BaseModel):
    """The query string of the list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Literal["open", "closed"] | None = None
    owner: _Label = None
    overdue: bool | None = Field(default=None, description="Open, and due by now")
    about: About | None = Field(default=None, description="What the survey asked about")
    kind: Literal["nps", "csat", "ces", "custom"] | None = None
    cursor: str | None = Field(
        default=None, max_length=2_048, description="`next_cursor` of the page before"
    )
    limit: int = Field(default=50, ge=1, le=MOST, description="Follow-ups on a page")


class LoopView(View):
    """A follow-up: who gets back to a customer about an answer, and by when."""

    loop: str
    survey: str = Field(description="GET /v1/feedback lists the answer")
    task: str = Field(description="On the profile of the customer")
    customer: str | None
    kind: str
    about: str | None
    score: int | None = Field(description="As corrected last")
    definition: str | None
    owner: str | None
    state: Literal["open", "closed"]
    overdue: bool
    opened_at: Instant
    due_at: Instant
    closed_at: Instant | None
    outcome: str | None
    informed: bool | None = Field(description="Was the customer told?")
    note: str | ErasedView | UnreadableView | None
    reminders: int = Field(description="How often its owner was reminded")


class LoopsPage(View):
    """A page of follow-ups, those that are due first first."""

    loops: list[LoopView]
    next_cursor: str | None
    meta: Meta


class OneLoop(View):
    """One follow-up."""

    loop: LoopView
    meta: Meta


class AskedAssignment(BaseModel):
    """Whose it is from now on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    owner: str = Field(min_length=1, max_length=256, examples=["eve"])


class AskedClosing(BaseModel):
    """What came of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: str = Field(min_length=1, max_length=256, examples=["solved"])
    informed: bool = Field(description="Was the customer told?")
    note: str | None = Field(
        default=None,
        min_length=1,
        max_length=4_000,
        repr=False,
        description="For colleagues; kept under the customer's key",
    )
