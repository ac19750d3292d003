"""Trends of a survey's questions, and who answered at all."""

from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from rapport_runtime.http.views import Instant, View

from rapport_feedback.domain.trends import Scores, Share
from rapport_feedback.domain.windows import Grain
from rapport_feedback.schemas.feedback import Meta

_From = Annotated[
    AwareDatetime | None,
    Field(alias="from", description="First instant, RFC 3339; 90 days before `to`"),
]
_To = Annotated[
    AwareDatetime | None, Field(alias="to", description="First instant not counted; now")
]


class SpanQuery(BaseModel):
    """A span of time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: _From = None
    end: _To = None


class TrendsQuery(SpanQuery):
    """The query string of the trends."""

    grain: Grain = Field(default="week", description="Windows of UTC; weeks begin on Monday")


class ShareView(View):
    """A fraction in integers: add numerators and denominators, then divide."""

    num: int
    den: int

    @classmethod
    def of(cls, share: Share | None) -> Self | None:
        return None if share is None else cls(num=share.num, den=share.den)


class WindowView(View):
    """The answers to one question in one window."""

    start: Instant
    end: Instant
    n: int | None = Field(
        description="Answers to the question; null: of texts beside the comment nobody knows "
        "without opening them"
    )
    distribution: dict[str, int] = Field(description="Score or option to how often it was given")
    mean: ShareView | None = Field(description="Sum of the scores, and how many")
    nps: ShareView | None = Field(description="Promoters less detractors, of all; nps only")
    top_box: ShareView | None = Field(description="csat 4 and 5, ces 5 to 7, of all")

    @classmethod
    def of_scores(cls, start: Instant, end: Instant, counts: dict[int, int], said: Scores) -> Self:
        return cls(
            start=start,
            end=end,
            n=said.n,
            distribution={str(score): counts[score] for score in sorted(counts)},
            mean=ShareView.of(said.mean),
            nps=ShareView.of(said.nps),
            top_box=ShareView.of(said.top_box),
        )


class QuestionView(View):
    """One question over time."""

    question: str
    type: str = Field(description="score, choice or text")
    is_score: bool = Field(description="THE score of the survey")
    windows: list[WindowView]


class TrendsView(View):
    """All questions of all versions of a survey."""

    survey: str
    kind: str
    grain: str
    questions: list[QuestionView]
    meta: Meta


class RateView(View):
    """How many of those who were asked have answered so far."""

    channel: str | None
    invited: int
    answered: int


class RatesView(View):
    """Who was eligible, and what became of it: eligible = invited + not invited + waiting."""

    survey: str
    start: Instant = Field(alias="from")
    end: Instant = Field(alias="to")
    eligible: int
    invited: int
    answered: int
    waiting: int = Field(description="Not decided yet")
    not_invited: dict[str, int] = Field(description="Reason to how many were not asked for it")
    channels: list[RateView]
    uninvited_answers: int = Field(description="That came without an invitation of ours")
    meta: Meta

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
