"""Business hours and service levels as settings."""

import json
from collections.abc import Mapping
from datetime import date, time
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, Self, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rapport_metrics.domain.calendars import Calendar, Span
from rapport_metrics.domain.service import DEFAULT_TARGETS, Targets

Seconds: TypeAlias = Annotated[int, Field(ge=1, le=366 * 86_400)]

_Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MIDNIGHT: Final = time(0)


class CalendarSettings(BaseModel):
    """A week of business hours in one zone, and the days that are none of it.

    As JSON: `{"zone": "Europe/Rome", "hours": {"mon": ["09:00-12:30", "14:00-18:00"]},
    "holidays": ["2026-12-25"]}`. `24:00`, or `00:00`, ends a span with its day.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: str = Field(examples=["Europe/Rome"])
    hours: dict[_Day, list[str]] = Field(min_length=1, examples=[{"mon": ["09:00-18:00"]}])
    holidays: list[date] = []

    @model_validator(mode="before")
    @classmethod
    def _read_text(cls, given: Any) -> Any:  # noqa: ANN401 - whatever the environment holds
        """A file of it is text still."""
        return json.loads(given) if isinstance(given, str) else given

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("no such IANA time zone, such as Europe/Rome") from None
        return name

    @model_validator(mode="after")
    def _has_hours(self) -> Self:
        if not any(self.calendar().hours.values()):
            raise ValueError("hours: a calendar needs an hour of work")
        return self

    def calendar(self) -> Calendar:
        hours = {_DAYS.index(day) + 1: _spans(texts) for day, texts in self.hours.items()}
        return Calendar(self.zone, hours, frozenset(self.holidays))


def targets_of(
    first_reply: Mapping[str, int],
    resolution: Mapping[str, int],
    next_reply: Mapping[str, int],
) -> Targets:
    """The default service levels, with these instead where they are named.

    Of further replies there is one only where a priority is named; the others are as first ones.
    """
    return Targets(
        first_reply={**DEFAULT_TARGETS.first_reply, **first_reply},
        resolution={**DEFAULT_TARGETS.resolution, **resolution},
        next_reply={**DEFAULT_TARGETS.first_reply, **next_reply} if next_reply else {},
    )


def _spans(texts: list[str]) -> tuple[Span, ...]:
    spans = tuple(_span(text) for text in texts)
    for (start, end), (following, _) in pairwise(spans):
        if end == _MIDNIGHT or following < end or following <= start:
            raise ValueError("hours: spans of a day go in order and do not overlap")
    return spans


def _span(text: str) -> Span:
    start, _, end = text.partition("-")
    try:
        span = time.fromisoformat(start), time.fromisoformat(end.replace("24:00", "00:00"))
    except ValueError:
        raise ValueError(f"hours: {text!r} is no span such as 09:00-17:30") from None
    if span[1] != _MIDNIGHT and span[1] <= span[0]:
        raise ValueError(f"hours: {text!r} ends before it begins; split it at midnight")
    return span
