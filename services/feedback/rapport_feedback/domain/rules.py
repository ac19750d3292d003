"""Which events make somebody eligible for a survey, under which reason, and when they are due."""

from datetime import timedelta
from typing import Annotated, Final, Self

import msgspec
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from rapport_events import wire
from rapport_events.envelope import Envelope

ANCHORED: Final = {
    "ticket.resolved.v1": "ticket",
    "order.delivered.v1": "order",
    "return.completed.v1": "return",
    "call.leg_ended.v1": "call",
    "bot.conversed.v1": "conversation",
    "appointment.kept.v1": "appointment",
    "subscription.started.v1": "subscription",
    "subscription.ended.v1": "subscription",
}
"""Events about one thing, for which nobody is asked twice, and the field that names it."""

COUNTED: Final = "feature.used.v1"
STARTING: Final = frozenset({"customer.created.v1", "order.placed.v1", "subscription.started.v1"})
"""What a rhythm may begin with."""

_MOST_USES: Final = 10_000
_LONGEST_ANCHOR: Final = 200

_Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_Wanted = Annotated[str, Field(min_length=1, max_length=256)] | bool | int


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: _Id
    sample: _Share = Field(default=1.0, description="The share of people who are asked")


class EventRule(_Strict):
    """Asks after something that happened."""

    on: str = Field(
        description="Type of the event, without its version", examples=["ticket.resolved"]
    )
    where: dict[str, _Wanted] = Field(
        default={}, max_length=10, description="What fields of the event, or `channel`, must be"
    )
    nth: int | None = Field(default=None, ge=1, le=_MOST_USES, description="Only the nth use")
    delay_hours: float = Field(default=0, ge=0, le=8_760, allow_inf_nan=False)
    after_days: int = Field(default=0, ge=0, le=365)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.type not in ANCHORED and self.type != COUNTED:
            known = ", ".join(sorted(one.removesuffix(".v1") for one in (*ANCHORED, COUNTED)))
            raise _wrong("on", f"must be one of {known}")
        if self.type == COUNTED and (self.nth is None or "feature" not in self.where):
            raise _wrong("nth", "feature.used needs `nth`, and `where` with the feature")
        if self.type != COUNTED and self.nth is not None:
            raise _wrong("nth", "is for feature.used")
        fields = {*_fields(self.type), "channel"}
        strange = sorted(self.where.keys() - fields)
        if strange:
            raise _wrong("where", f"{self.on} has no {', '.join(strange)}")
        return self

    @property
    def type(self) -> str:
        return f"{self.on}.v1"

    @property
    def delay(self) -> timedelta:
        return timedelta(days=self.after_days, hours=self.delay_hours)

    def wants(self, envelope: Envelope, data: wire.Data) -> bool:
        return all(_value(envelope, data, name) == wanted for name, wanted in self.where.items())


class PeriodRule(_Strict):
    """Asks again and again, from the first of certain events on."""

    every_days: int = Field(ge=1, le=3_650)
    after: tuple[str, ...] = Field(
        default=("customer.created", "order.placed"),
        min_length=1,
        description="The first of these after the survey went live starts the rhythm",
    )

    @field_validator("after", mode="before")
    @classmethod
    def _one_will_do(cls, given: object) -> object:
        return (given,) if isinstance(given, str) else given

    @field_validator("after")
    @classmethod
    def _can_start(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if not {f"{one}.v1" for one in given} <= STARTING:
            known = ", ".join(sorted(one.removesuffix(".v1") for one in STARTING))
            raise _wrong("after", f"must be of {known}")
        return given

    @property
    def types(self) -> frozenset[str]:
        return frozenset(f"{one}.v1" for one in self.after)

    @property
    def period(self) -> timedelta:
        return timedelta(days=self.every_days)


def _shape(given: object) -> str:
    is_period = "every_days" in given if isinstance(given, dict) else isinstance(given, PeriodRule)
    return "period" if is_period else "event"


Rule = Annotated[
    Annotated[EventRule, Tag("event")] | Annotated[PeriodRule, Tag("period")],
    Discriminator(_shape),
]


def anchor_of(envelope: Envelope, data: wire.Data) -> str | None:
    """The reason to ask that the event gives, as kind:id; None: it names no thing.

    An id that is longer than any sane one would make an index row that no index takes.
    """
    field = ANCHORED.get(envelope.type)
    if field is None:
        return None
    found = getattr(data, "return_" if field == "return" else field)
    return f"{field}:{found}"[:_LONGEST_ANCHOR]


def _value(envelope: Envelope, data: wire.Data, name: str) -> object:
    if name == "channel":
        return envelope.channel
    return getattr(data, name, None)


def _fields(type_: str) -> tuple[str, ...]:
    """Names of the event's clear fields, as the log has them."""
    struct = wire.BY_TYPE[type_]
    return tuple(
        field.encode_name
        for field in msgspec.structs.fields(struct)
        if field.name not in ("context", "pii")
    )


def _wrong(field: str, reason: str) -> PydanticCustomError:
    return PydanticCustomError(
        "makes_no_sense", "{field}: {reason}", {"field": field, "reason": reason}
    )
