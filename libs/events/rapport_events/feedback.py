"""What customers tell us when we ask, and whether we got back to them."""

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from rapport_events.envelope import Channel
from rapport_events.event import PII, Event, Name, Ref, Text, Timestamp
from rapport_events.reference import (
    MaybeAgent,
    MaybeDefinition,
    MaybeDue,
    MaybeOrder,
    MaybeSentiment,
    MaybeTeam,
    MaybeTicket,
)

_Survey = Annotated[
    Ref, Field(description="Id of one invitation and its answer.", examples=["v-237"])
]
_Kind = Annotated[
    Literal["nps", "csat", "ces", "custom"], Field(description="Which score.", examples=["nps"])
]
_About = Annotated[
    Literal["product", "service", "relationship"] | None,
    Field(description="What we asked about.", examples=["relationship"]),
]
_Channel = Annotated[Channel | None, Field(description="How we asked.", examples=["email"])]
_Loop = Annotated[Ref, Field(description="Id of the follow-up.", examples=["loop-9"])]

_Rule = Annotated[
    Ref | None,
    Field(description="Id of the definition's rule that asked.", examples=["after_case"]),
]
_Score = Annotated[int, Field(ge=-(2**53), le=2**53)]

SCALES: Final = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
"""The lowest and highest score of each kind of survey; a custom one has its own scale."""


class SurveySent(Event):
    """A customer was asked."""

    type: ClassVar[str] = "survey.sent.v1"

    survey: _Survey
    definition: MaybeDefinition = None
    kind: _Kind
    about: _About = None
    ticket: MaybeTicket = None
    order: MaybeOrder = None
    agent: MaybeAgent = None
    team: MaybeTeam = None
    channel: _Channel = None
    rule: _Rule = None
    expires: Timestamp | None = Field(
        default=None, description="Answers are taken until.", examples=["2026-04-01T00:00:00Z"]
    )


class SurveyNotInvited(Event):
    """A customer would have been asked, and was not."""

    type: ClassVar[str] = "survey.not_invited.v1"

    definition: MaybeDefinition = None
    reason: Literal[
        "throttled",
        "no_consent",
        "no_channel",
        "open_case",
        "erased",
        "not_sampled",
        "already_asked",
        "retired",
        "too_late",
    ] = Field(description="Why not.", examples=["throttled"])
    survey: Ref | None = Field(
        default=None, description="Id that the invitation would have had.", examples=["v-237"]
    )
    rule: _Rule = None
    kind: Literal["nps", "csat", "ces", "custom"] | None = Field(
        default=None, description="Which score.", examples=["nps"]
    )
    about: _About = None
    ticket: MaybeTicket = None
    order: MaybeOrder = None
    channel: _Channel = None


class SurveyResponded(Event):
    """A customer answered. A corrected answer is the next revision of the same survey."""

    type: ClassVar[str] = "survey.responded.v1"

    survey: _Survey
    definition: MaybeDefinition = None
    kind: _Kind
    about: _About = None
    ticket: MaybeTicket = None
    order: MaybeOrder = None
    agent: MaybeAgent = None
    team: MaybeTeam = None
    channel: _Channel = None
    revision: Annotated[int, Field(ge=1, le=2**31)] | None = Field(
        default=None, description="1, or nothing, is the first answer.", examples=[1]
    )
    score: _Score | None = Field(
        default=None, description="nps 0 to 10, csat 1 to 5, ces 1 to 7.", examples=[9]
    )
    comment: Annotated[Text | None, PII] = Field(
        default=None, description="What they wrote.", examples=["Quick and friendly."]
    )
    scores: Annotated[dict[Name, _Score], Field(max_length=50)] | None = Field(
        default=None,
        description="Scores of further questions, by the question's id.",
        examples=[{"delivery": 4}],
    )
    choices: (
        Annotated[dict[Name, Annotated[list[Name], Field(max_length=50)]], Field(max_length=50)]
        | None
    ) = Field(
        default=None,
        description="Options chosen, by the question's id. Not encrypted.",
        examples=[{"reason": ["price"]}],
    )
    texts: Annotated[dict[str, Text] | None, PII] = Field(
        default=None,
        description="Answers in words, by the question's id.",
        examples=[{"missing": "A bigger box."}],
    )

    @model_validator(mode="after")
    def _score_is_on_the_scale(self) -> Self:
        low, high = SCALES.get(self.kind, (-(2**53), 2**53))
        if self.score is not None and not low <= self.score <= high:
            raise PydanticCustomError(
                "out_of_range",
                "must be {low} to {high} for {kind}",
                {"field": "score", "low": low, "high": high, "kind": self.kind},
            )
        return self


class FeedbackClassified(Event):
    """Somebody, or a rule, said what an answer is about and how it sounds."""

    type: ClassVar[str] = "feedback.classified.v1"

    survey: _Survey
    about: _About = None
    topics: Annotated[list[Name], Field(max_length=50)] | None = Field(
        default=None, description="What it is about.", examples=[["delivery"]]
    )
    sentiment: MaybeSentiment = None
    by: Literal["rule", "person"] | None = Field(
        default=None, description="Who said so.", examples=["rule"]
    )
    agent: MaybeAgent = None
    definition: MaybeDefinition = None


class LoopOpened(Event):
    """Somebody will get back to a customer about an answer."""

    type: ClassVar[str] = "loop.opened.v1"

    loop: _Loop
    survey: Ref | None = Field(default=None, description="The answer.", examples=["v-237"])
    owner: Ref | None = Field(default=None, description="Whose it is.", examples=["eve"])
    outcome: Name | None = Field(default=None, description="What is hoped for.", examples=["call"])
    informed: bool | None = Field(
        default=None, description="Was the customer told?", examples=[False]
    )
    due: MaybeDue = None
    score: _Score | None = Field(default=None, description="Of the answer.", examples=[3])
    task: Ref | None = Field(
        default=None, description="The task that was made of it.", examples=["task-31"]
    )


class LoopReminded(Event):
    """A follow-up is overdue, and its owner was told so."""

    type: ClassVar[str] = "loop.reminded.v1"

    loop: _Loop
    survey: Ref | None = Field(default=None, description="The answer.", examples=["v-237"])
    owner: Ref | None = Field(default=None, description="Whose it is.", examples=["eve"])
    due: MaybeDue = None
    reminder: Annotated[int, Field(ge=1, le=1_000)] | None = Field(
        default=None, description="The how manieth.", examples=[1]
    )


class LoopClosed(Event):
    """A follow-up is over."""

    type: ClassVar[str] = "loop.closed.v1"

    loop: _Loop
    survey: Ref | None = Field(default=None, description="The answer.", examples=["v-237"])
    owner: Ref | None = Field(default=None, description="Whose it was.", examples=["eve"])
    outcome: Name | None = Field(default=None, description="What came of it.", examples=["solved"])
    informed: bool | None = Field(
        default=None, description="Was the customer told?", examples=[True]
    )
