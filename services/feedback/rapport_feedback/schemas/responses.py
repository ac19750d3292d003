"""Answers as adapters of other channels send and correct them, and as they are read."""

from typing import Annotated, Any, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StringConstraints,
    model_validator,
)
from rapport_events.envelope import Channel
from rapport_runtime.http.views import Instant, View

from rapport_feedback.domain.definition import Id
from rapport_feedback.domain.given import Answers
from rapport_feedback.domain.texts import Language
from rapport_feedback.schemas.feedback import ErasedView, UnreadableView

_Score = Annotated[StrictInt, Field(ge=-(2**53), le=2**53)]
_Words = Annotated[str, Field(max_length=16_384)]
_Ref = Annotated[str | None, Field(min_length=1, max_length=256)]
_Chosen = Annotated[list[Id], Field(max_length=50)]


class AnsweredFields(BaseModel):
    """What was answered, by the ids of the survey's questions."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    score: _Score | None = Field(default=None, description="Of the first score question")
    comment: _Words | None = Field(default=None, description="Of the question `comment`")
    scores: Annotated[dict[Id, _Score | None], Field(max_length=50)] | None = Field(
        default=None, description="Of further score questions", examples=[{"speed": 4}]
    )
    choices: Annotated[dict[Id, _Chosen | None], Field(max_length=50)] | None = Field(
        default=None, description="Options chosen", examples=[{"reason": ["price"]}]
    )
    texts: Annotated[dict[Id, _Words | None], Field(max_length=50)] | None = Field(
        default=None, description="Of further text questions"
    )
    answered_at: AwareDatetime | None = Field(default=None, description="Left out: now")

    def said(self) -> dict[str, Any]:
        """What the caller said anything about."""
        said: dict[str, Any] = self.model_dump(
            include={"score", "comment", "scores", "choices", "texts"}, exclude_unset=True
        )
        return said


class NewResponse(AnsweredFields):
    """An answer that came by another channel than the survey page."""

    survey: _Ref = Field(default=None, description="Id of an invitation")
    definition: (
        Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}(@[1-9][0-9]{0,8})?$")]
        | None
    ) = Field(
        default=None,
        description="Of somebody who was not invited; with the header Idempotency-Key",
        examples=["after_case", "after_case@2"],
    )
    customer: Annotated[dict[str, str | int], Field(min_length=1, max_length=8)] | None = Field(
        default=None,
        description="Who answered, with `definition`; left out: nobody knows",
        examples=[{"phone": "+4915112345678"}],
    )
    channel: Channel | None = Field(default=None, description="By which it came")
    language: Language | None = Field(default=None, description="Of the words")
    ticket: _Ref = None
    order: _Ref = None
    agent: _Ref = None
    team: _Ref = None

    @model_validator(mode="after")
    def _names_one_survey(self) -> Self:
        if (self.survey is None) == (self.definition is None):
            raise ValueError("give `survey`, of an invitation, or `definition`")
        about = {"customer", "ticket", "order", "agent", "team"}
        if self.survey is not None and any(getattr(self, name) is not None for name in about):
            raise ValueError("the invitation tells customer, ticket, order, agent and team")
        return self


class Correction(AnsweredFields):
    """What is different; null takes an answer back, what is left out stays."""

    channel: Channel | None = Field(default=None, description="By which it came")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.said():
            raise ValueError("say at least one of score, comment, scores, choices and texts")
        return self


class RevisionView(View):
    """An answer as it was told; a correction is the next revision."""

    survey: str
    revision: int
    is_current: bool = Field(description="This one counts")
    event: str = Field(description="Id of the event that tells it")
    definition: str | None
    kind: str
    about: str | None
    customer: str | None = Field(description="Subject id; null: nobody who is known")
    answered_at: Instant
    recorded_at: Instant
    score: int | None
    scores: dict[str, int]
    choices: dict[str, list[str]]
    comment: str | ErasedView | UnreadableView | None
    texts: dict[str, str] | ErasedView | UnreadableView | None
    channel: str | None
    language: str | None
    ticket: str | None
    order: str | None
    agent: str | None
    team: str | None


class ResponseView(View):
    """What counts now, and what was said before; the oldest first."""

    survey: str
    current: RevisionView
    revisions: list[RevisionView]
    masked: list[str] = Field(
        default=[], description="Personal fields that are null because profile:pii is missing"
    )


def answers_of(said: dict[str, Any]) -> Answers:
    """Of a new answer: null is as good as left out."""
    return Answers(
        score=said.get("score"),
        scores=_given(said.get("scores")),
        choices={name: tuple(chosen) for name, chosen in _given(said.get("choices")).items()},
        comment=said.get("comment"),
        texts=_given(said.get("texts")),
    )


def _given(values: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (values or {}).items() if value is not None}
