"""What a survey is: what it asks, of whom, when, and what follows a low score."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Annotated, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError
from rapport_events.envelope import Channel
from rapport_events.feedback import SCALES
from rapport_events.languages import nearest

from rapport_feedback.domain.rules import Rule
from rapport_feedback.domain.texts import Texts

Kind = Literal["nps", "csat", "ces", "custom"]
About = Literal["product", "service", "relationship"]

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
"""Of a survey, a question, an option or a rule."""

COMMENT: Final = "comment"
"""The text question of this name is the `comment` of an answer."""

AT_MOST: Final = {"nps": 6, "csat": 2, "ces": 3}
"""The highest score that opens a follow-up, unless a definition says otherwise."""

_MOST_STEPS: Final = 100
_MOST_QUESTIONS: Final = 20
_MOST_CHARACTERS: Final = 100_000
"""An answer is one event, sealed: of four bytes each they are half of what the log takes."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Score(_Strict):
    """A number on a scale."""

    type: Literal["score"] = "score"
    id: Id
    text: Texts
    scale: tuple[int, int] | None = Field(
        default=None, description="Lowest and highest; left out: that of the kind"
    )
    low: Texts | None = Field(default=None, description="What the lowest means")
    high: Texts | None = Field(default=None, description="What the highest means")
    required: bool = False

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.scale is not None and not 0 < self.scale[1] - self.scale[0] <= _MOST_STEPS:
            raise _wrong("scale", f"must rise, by {_MOST_STEPS} at most")
        return self

    @property
    def bounds(self) -> tuple[int, int]:
        """The lowest and the highest score; known once the definition is read."""
        assert self.scale is not None  # noqa: S101 - for the type checker
        return self.scale


class Option(_Strict):
    """One of the answers to choose from."""

    id: Id
    text: Texts


class Choice(_Strict):
    """One or several of what is offered."""

    type: Literal["choice"]
    id: Id
    text: Texts
    options: tuple[Option, ...] = Field(min_length=2, max_length=50)
    multiple: bool = False
    required: bool = False

    @model_validator(mode="after")
    def _are_distinct(self) -> Self:
        _require_unique("options", [option.id for option in self.options])
        return self


class FreeText(_Strict):
    """An answer in the customer's own words."""

    type: Literal["text"]
    id: Id
    text: Texts
    max: int = Field(default=4_000, ge=1, le=16_000, description="Characters at most")
    required: bool = False


Question = Annotated[Score | Choice | FreeText, Field(discriminator="type")]


class LoopRule(_Strict):
    """When somebody gets back to the customer."""

    at_most: int | None = Field(default=None, description="The highest score that opens it")
    due_hours: int | None = Field(default=None, ge=1, le=8_760)
    owner: str | None = Field(default=None, min_length=1, max_length=256)


class Definition(_Strict):
    """One version of a survey."""

    id: Id
    kind: Kind
    about: About | None = None
    title: Texts
    questions: tuple[Question, ...] = Field(min_length=1, max_length=_MOST_QUESTIONS)
    thanks: Texts | None = None
    channels: tuple[Channel, ...] = Field(
        default=("email", "sms", "chat", "web"), min_length=1, description="Preferred first"
    )
    expires_days: int = Field(default=14, ge=1, le=365)
    throttle_days: int | None = Field(default=None, ge=0, le=365)
    consent: Literal["none", "service", "marketing"] | None = None
    loop: LoopRule | None = None
    rules: tuple[Rule, ...] = Field(default=(), max_length=50)

    @model_validator(mode="before")
    @classmethod
    def _fill_in_the_scale(cls, given: object) -> object:
        """The first score of nps, csat and ces is on the scale of the kind."""
        if not isinstance(given, dict) or not isinstance(given.get("questions"), (list, tuple)):
            return given
        scale, filled = SCALES.get(str(given.get("kind"))), []
        for question in given["questions"]:
            is_score = isinstance(question, dict) and question.get("type") == "score"
            if is_score and scale is not None:
                if question.get("scale") is None:
                    question = {**question, "scale": scale}
                scale = None
            filled.append(question)
        return {**given, "questions": filled}

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        _require_unique("questions", [question.id for question in self.questions])
        _require_unique("rules", [rule.id for rule in self.rules])
        _require_unique("channels", self.channels)
        self._require_scales()
        self._require_a_threshold()
        words = sum(one.max for one in self.questions if isinstance(one, FreeText))
        if words > _MOST_CHARACTERS:
            reason = f"texts may be {_MOST_CHARACTERS:,} characters together, and these {words:,}"
            raise _wrong("questions", reason)
        return self

    def _require_scales(self) -> None:
        scores = list(self.scores)
        wanted = SCALES.get(self.kind)
        if not scores and wanted is not None:
            raise _wrong("questions", f"a survey of kind {self.kind} needs a score question")
        for question in scores:
            if question.scale is None:
                raise _wrong("questions", f"the score question {question.id} needs a scale")
        if wanted is not None and scores[0].scale != wanted:
            low, high = wanted
            raise _wrong("questions", f"the scale of {self.kind} is {low} to {high}")

    def _require_a_threshold(self) -> None:
        if self.loop is None or self.loop.at_most is None:
            return
        if self.score is None:
            raise _wrong("loop.at_most", "needs a score question")
        low, high = self.score.bounds
        if not low <= self.loop.at_most <= high:
            raise _wrong("loop.at_most", f"must be on the scale, {low} to {high}")

    @property
    def scores(self) -> Iterator[Score]:
        """The score questions; the first is the score of the survey."""
        return (question for question in self.questions if isinstance(question, Score))

    @property
    def score(self) -> Score | None:
        """The question whose answer is the score of the survey."""
        return next(self.scores, None)

    @property
    def loop_at_most(self) -> int | None:
        """The highest score that opens a follow-up; None: no score does."""
        if self.loop is not None and self.loop.at_most is not None:
            return self.loop.at_most
        return AT_MOST.get(self.kind)

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.title)

    def language_for(self, *wanted: str | None) -> str:
        """The first wish that can be met, or the language that was given first."""
        return _language(self.languages, wanted)


@lru_cache(maxsize=1_024)
def _language(spoken: tuple[str, ...], wanted: tuple[str | None, ...]) -> str:
    """Everybody who is asked has wishes, and few of them differ."""
    found = (nearest(one, spoken) for one in wanted)
    return next((one for one in found if one is not None), spoken[0])


def _require_unique(field: str, ids: Sequence[str]) -> None:
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise _wrong(field, f"{', '.join(twice)} is there more than once")


def _wrong(field: str, reason: str) -> PydanticCustomError:
    return PydanticCustomError(
        "makes_no_sense", "{field}: {reason}", {"field": field, "reason": reason}
    )
