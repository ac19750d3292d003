"""A trigger as people write it, in YAML or JSON."""

import re
from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from rapport_events import wire
from rapport_events.event import Priority

from rapport_personalization.domain.quiet import parsed

_DURATION: Final = re.compile(r"(-?)((?:\d{1,6}[smhd])+)")
_PARTS: Final = re.compile(r"(\d+)([smhd])")
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LONGEST: Final = 5 * 366 * 86_400

ChannelName = Literal["email", "app", "sms", "chat", "web", "social", "phone", "agent", "same"]


def seconds(text: str) -> timedelta:
    """`4h`, `1d12h`, `-2h`. Raises ValueError."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError("a duration is written like 30m, 4h or 1d12h")
    total = sum(int(number) * _UNITS[unit] for number, unit in _PARTS.findall(found[2]))
    if total > _LONGEST:
        raise ValueError("a duration is 5 years at most")
    return timedelta(seconds=-total if found[1] else total)


def _duration(text: str) -> str:
    try:
        seconds(text)
    except ValueError as error:
        raise PydanticCustomError("duration", "{reason}", {"reason": str(error)}) from None
    return text


def _positive(text: str) -> str:
    if seconds(_duration(text)) < timedelta(0):
        raise PydanticCustomError("duration", "cannot be negative here")
    return text


def full_type(name: str) -> str:
    """`order.placed` is `order.placed.v1`."""
    return name if re.search(r"\.v\d+$", name) else f"{name}.v1"


def _event(name: str) -> str:
    type_ = full_type(name)
    if type_ not in wire.BY_TYPE and not type_.startswith("custom."):
        raise PydanticCustomError("unknown_event", "there is no event `{name}`", {"name": name})
    return name


Duration = Annotated[str, AfterValidator(_duration), Field(examples=["4h"])]
Wait = Annotated[str, AfterValidator(_positive), Field(examples=["4h"])]
EventName = Annotated[str, AfterValidator(_event), Field(examples=["order.placed"])]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Path = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$", max_length=100)]
Things = Annotated[
    str,
    Field(pattern=r"^[a-z_]+(\|[a-z_]+)*$", max_length=100, examples=["order", "invoice|order"]),
]
Share = Annotated[int, Field(ge=0, le=10_000)]
Text = Annotated[str, Field(max_length=2_000)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class CalendarPart(_Part):
    """A day of the person's own."""

    kind: Literal["birthday", "anniversary"]
    at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = Field(
        default="09:00", description="Local time.", examples=["09:00"]
    )


class ScorePart(_Part):
    """A prediction that rises above a line."""

    score: Literal["clv", "churn_risk", "effort"]
    above: float


class OnPart(_Part):
    """What starts it: an event, one of several, a day of the calendar, or a score."""

    event: EventName | None = None
    events: Annotated[list[EventName], Field(min_length=1, max_length=20)] | None = None
    key: Things | None = Field(
        default=None,
        description="The field of the event that names the thing it is about; the first of "
        "several. `session`: the visit; `waiting`: the case that waits longest for an answer.",
    )
    anchor: Annotated[list[Path], Field(min_length=1, max_length=5)] | None = Field(
        default=None,
        description="What it is decided at most once for: thing, person, day, event, revision, "
        "or a documented field.",
        examples=[["thing", "revision"]],
    )
    calendar: CalendarPart | None = None
    score: ScorePart | None = None

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        starts = (self.event, self.events, self.calendar, self.score)
        if sum(one is not None for one in starts) != 1:
            raise PydanticCustomError("one_start", "needs one of event, events, calendar, score")
        return self


class DelayPart(_Part):
    """How long to wait, counted from what a field says."""

    until: Path = Field(
        description="A documented field: an instant, or a duration from the event on.",
        examples=["event.due"],
    )
    wait: Duration = Field(default="0s", description="After it; negative: before.")
    at_least: Wait | None = Field(default=None, description="Shorter than this: not at all.")


class OfferPart(_Part):
    """What is given away with the message."""

    kind: Literal["percent", "amount", "shipping", "points"]
    value: Annotated[int, Field(gt=0, le=10_000_000)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    code: Annotated[str, Field(min_length=1, max_length=64)] = Field(
        default="unique", description="`unique`: one of their own; else the same for all."
    )
    budget: Annotated[int, Field(gt=0)] | None = None
    expires: Wait | None = None

    @model_validator(mode="after")
    def _worth_something(self) -> Self:
        if self.kind == "percent" and self.value > 100:
            raise PydanticCustomError("percent", "is 100 percent at most")
        if self.kind == "amount" and self.currency is None:
            raise PydanticCustomError("amount", "an amount needs a currency")
        return self


class GoalPart(_Part):
    """What it is meant to bring about."""

    event: EventName | None = None
    events: Annotated[list[EventName], Field(min_length=1, max_length=20)] | None = None
    none_of: Annotated[list[EventName], Field(min_length=1, max_length=20)] | None = None
    within: Wait
    when: Text | None = None
    key: Name | None = Field(default=None, description="It must be about the same thing.")

    @model_validator(mode="after")
    def _one_goal(self) -> Self:
        if sum(one is not None for one in (self.event, self.events, self.none_of)) != 1:
            raise PydanticCustomError("one_goal", "needs one of event, events, none_of")
        return self


class HoldoutPart(_Part):
    """Who is left out, in 10,000 people."""

    trigger: Share = 1_000
    everywhere: bool = Field(default=True, alias="global")


class CapPart(_Part):
    """How often somebody hears of this trigger at the most."""

    most: Annotated[int, Field(ge=1, le=1_000)]
    within: Wait

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if seconds(self.within) == timedelta(0):
            raise PydanticCustomError("cap", "a cap needs a time")
        return self


def _hours(text: str) -> str:
    found = parsed(text)
    if found is None:
        reason = "hours are written like 20:00-09:00, in the time of where somebody lives"
        raise PydanticCustomError("hours", "{reason}", {"reason": reason})
    return text


Hours = Annotated[str, AfterValidator(_hours), Field(examples=["20:00-09:00"])]


class TriggerDocument(_Part):
    """One version of a rule: what starts it, how long it waits, what stops it, what it asks for."""

    id: Name
    rank: Annotated[int, Field(ge=1, le=10_000)] = Field(
        description="Order among triggers at the same instant."
    )
    kind: Literal["task", "service", "marketing"]
    description: Text = ""
    on: OnPart
    when: Text | None = Field(default=None, description="CEL, at the event.")
    unless: Text | None = Field(
        default=None, description="CEL, at send_at: then there was nothing to decide."
    )
    cancel: Text | None = Field(default=None, description="CEL, at send_at.")
    delay: Wait | DelayPart = "0s"
    reset: bool = Field(default=False, description="A newer event restarts the wait.")
    cooldown: Wait | Literal["once"] | None = None
    caps: Annotated[list[CapPart], Field(max_length=5)] = Field(
        default_factory=list, description="Of this trigger alone, beside those of the policies."
    )
    quiet_hours: Hours | None = Field(
        default=None, description="Local time; beside those of the person, or of the policies."
    )
    channels: Annotated[list[ChannelName], Field(max_length=9)] = Field(default_factory=list)
    template: Name
    assignee: Name | None = Field(default=None, description="Of a task: a person, team or queue.")
    priority: Priority | None = None
    offer: OfferPart | None = None
    goal: GoalPart | None = None
    holdout: HoldoutPart = Field(default_factory=HoldoutPart)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "task" and self.channels:
            raise PydanticCustomError("task", "a task is for agents: it has no channels")
        if self.kind == "task" and self.quiet_hours is not None:
            raise PydanticCustomError("task", "a task is made at any hour: it has no quiet hours")
        if self.kind != "task" and not self.channels:
            raise PydanticCustomError("channels", "needs channels, in order of preference")
        if self.reset and self.on.calendar is not None:
            raise PydanticCustomError("reset", "no event restarts a day of the calendar")
        return self
