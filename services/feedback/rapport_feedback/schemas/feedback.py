"""Answers, what is said of them, and their follow-ups, as readers see them."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from rapport_events.envelope import Channel
from rapport_runtime.http.paging import MOST
from rapport_runtime.http.views import Instant, Standing, View

from rapport_feedback.domain.definition import About

LoopState = Literal["open", "closed", "none"]

_Label = Annotated[str | None, Field(max_length=256)]


class FeedbackFilters(BaseModel):
    """Which answers. All of what is given must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: About | None = Field(
        default=None, description="As classified; what was asked about where nothing was found"
    )
    kind: Literal["nps", "csat", "ces", "custom"] | None = None
    definition: _Label = Field(
        default=None, description="Of all its versions, or of one", examples=["after_case@2"]
    )
    score_lt: int | None = Field(default=None, ge=-(2**53), le=2**53)
    score_gt: int | None = Field(default=None, ge=-(2**53), le=2**53)
    loop: LoopState | None = Field(default=None, description="State of the newest follow-up")
    topic: _Label = Field(default=None, description="As classified")
    channel: Channel | None = None
    agent: _Label = None
    team: _Label = None
    start: AwareDatetime | None = Field(
        default=None, alias="from", description="Answered then or later, RFC 3339"
    )
    end: AwareDatetime | None = Field(default=None, alias="to", description="Answered before")
    has_comment: bool | None = None
    customer: str | None = Field(
        default=None,
        max_length=300,
        description="Subject id, or `kind:value` of an identifier; all of the person's answers",
        examples=["user_id:u-97"],
    )
    q: str | None = Field(
        default=None,
        max_length=1_000,
        description="Refused: comments are sealed under each customer's key and in no index",
    )


class FeedbackQuery(FeedbackFilters):
    """The query string of the list."""

    cursor: str | None = Field(
        default=None, max_length=2_048, description="`next_cursor` of the page before"
    )
    limit: int = Field(default=50, ge=1, le=MOST, description="Answers on a page")


class ErasedView(View):
    """Stands for a text whose person was erased: nobody can read it any more."""

    erased: Literal[True]


class UnreadableView(View):
    """Stands for a text whose seal was broken or whose key was lost."""

    unreadable: Literal[True]


class ClassificationView(View):
    """The word on an answer that counts."""

    about: About | None
    topics: list[str]
    sentiment: int | None = Field(description="-100 (furious) to 100 (delighted)")
    by: str = Field(description="rule or person; a person's word wins")
    agent: str | None
    at: Instant
    definition: str | None = Field(description="Version of the rules", examples=["comments@3"])


class AnswerLoopView(View):
    """The newest follow-up of an answer."""

    loop: str
    state: str
    owner: str | None
    due_at: Instant
    outcome: str | None
    informed: bool | None


class FeedbackView(View):
    """One answer, as it is after its last correction."""

    survey: str
    revision: int
    definition: str | None
    kind: str
    about: str | None = Field(description="As classified, else what was asked about")
    asked_about: str | None
    customer: str | None = Field(description="Subject id; null: nobody who is known")
    answered_at: Instant
    score: int | None
    scores: dict[str, int]
    choices: dict[str, list[str]]
    has_comment: bool
    comment: str | ErasedView | UnreadableView | None
    texts: dict[str, str] | ErasedView | UnreadableView | None
    channel: str | None
    language: str | None
    ticket: str | None
    order: str | None
    agent: str | None
    team: str | None
    classification: ClassificationView | None
    loop: AnswerLoopView | None


class Meta(Standing):
    """How current an answer is, and what it leaves out."""

    masked: list[str] = Field(
        default=[], description="Personal fields that are null because profile:pii is missing"
    )
    erased: list[str] = Field(default=[], description="Fields that lack what was erased")


class FeedbackPage(View):
    """A page of answers, the newest first."""

    feedback: list[FeedbackView]
    next_cursor: str | None
    meta: Meta


class AskedClassification(BaseModel):
    """A person's word on an answer; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: About | None = None
    topics: list[Annotated[str, Field(min_length=1, max_length=256)]] = Field(
        default=[], max_length=50
    )
    sentiment: int | None = Field(default=None, ge=-100, le=100)


class ClassifiedView(View):
    """What counts from now on."""

    survey: str
    classification: ClassificationView | None
