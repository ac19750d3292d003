"""What customers tell us when we ask, and whether we got back to them."""

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from rapport_events.envelope import Channel
from rapport_events.event import PII, Event, Name, Ref, Text
from rapport_events.reference import (
    MaybeAgent,
    MaybeDefinition,
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


class SurveyNotInvited(Event):
    """A customer would have been asked, and was not."""

    type: ClassVar[str] = "survey.not_invited.v1"

    definition: MaybeDefinition = None
    reason: Literal["throttled", "no_consent", "no_channel", "open_case", "erased"] = Field(
        description="Why not.", examples=["throttled"]
    )


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
    score: Annotated[int, Field(ge=-(2**53), le=2**53)] | None = Field(
        default=None, description="nps 0 to 10, csat 1 to 5, ces 1 to 7.", examples=[9]
    )
    comment: Annotated[Text | None, PII] = Field(
        default=None, description="What they wrote.", examples=["Quick and friendly."]
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
