"""What every event class shares: strictness, the mark of personal data, and field types.

An event class describes the `data` of one CloudEvent; the envelope (`rapport_events.envelope`)
carries who, when and where. So a field may be called `channel` or `subject` without
hiding the envelope's attribute of that name.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, Final, Literal, get_args

import msgspec
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    JsonValue,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError


class Pii:
    """Marks a field as personal data: it leaves ingest only as ciphertext."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "PII"

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(core_schema), "x-personal-data": True}


PII: Final = Pii()

# RFC 3339, section 5.6: parsers also take a space, or an offset without a colon.
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _instant(value: object) -> object:
    """The log keeps the text, so it is read as the log's readers will read it."""
    if isinstance(value, int | float):
        raise PydanticCustomError("wrong_type", "must be an RFC 3339 time, as a string")
    if not isinstance(value, str):
        return value
    try:
        if _RFC3339.fullmatch(value):
            return msgspec.convert(value, datetime).astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):
        pass
    raise PydanticCustomError("bad_format", "must be an RFC 3339 time with an offset")


def _day(value: object) -> object:
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise PydanticCustomError("bad_format", "must be a date, YYYY-MM-DD")
    if isinstance(value, int | float):
        raise PydanticCustomError("wrong_type", "must be a date, YYYY-MM-DD, as a string")
    return value


Ref = Annotated[str, Field(min_length=1, max_length=256)]
"""The publisher's own id of a thing: an order, a ticket, an agent. Opaque."""

Name = Annotated[str, Field(min_length=1, max_length=256)]
"""A short label from the publisher's vocabulary: a topic, a reason, a plan."""

Text = Annotated[str, Field(max_length=16_384)]
"""Free text a person wrote. At most 16 KiB."""

Timestamp = Annotated[AwareDatetime, BeforeValidator(_instant)]
"""An instant, RFC 3339 with an offset."""

Day = Annotated[date, Field(strict=False), BeforeValidator(_day)]
"""A calendar day, YYYY-MM-DD."""

Minor = Annotated[int, Field(ge=0, le=2**53)]
"""An amount of money in minor units of its currency (cents for EUR, yen for JPY)."""

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])]
"""ISO 4217 alphabetic code."""

Seconds = Annotated[int, Field(ge=0, le=2**40)]
"""A duration in whole seconds."""

Count = Annotated[int, Field(ge=0, le=2**53)]

Sentiment = Annotated[int, Field(ge=-100, le=100)]
"""How somebody sounds: -100 (furious) to 100 (delighted)."""

Priority = Literal["low", "normal", "high", "urgent"]

Identifiers = Annotated[
    dict[str, Annotated[str, Field(max_length=256)] | int], Field(min_length=1, max_length=32)
]
"""Who somebody is, by kind: `user_id`, `anonymous_id`, `email`, `phone` or any external id."""

SUBJECT_PATTERN: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

SubjectId = Annotated[str, Field(pattern=SUBJECT_PATTERN)]
"""A random subject id, UUID text in lower case. Only ingest knows whose it is."""

SET_BY_INGEST: Final[dict[str, JsonValue]] = {"set_by": "ingest"}
"""`json_schema_extra` of a field that ingest fills in; from a publisher it is refused."""


class Event(BaseModel):
    """The data of one kind of event. Facts only, in the past tense.

    Every field that a publisher may leave out defaults to None: nothing is invented.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    type: ClassVar[str]
    """CloudEvents `type`, kept for ever: `noun.past_participle.v<major>`."""

    segment: ClassVar[tuple[str, ...]] = ()
    """Names that the Segment spec gives to this event; the first is the canonical one.
    A lower-case name is one of its calls (`identify`, `page`), the others are track events."""

    properties: Annotated[dict[str, Any] | None, PII] = Field(
        default=None,
        description="Whatever else the publisher wants kept with the event. Encrypted.",
        examples=[{"experiment": "b"}],
    )


def json_fields(event: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields under the names they have in JSON (`from`, where Python says `from_`)."""
    return {field.alias or name: field for name, field in event.model_fields.items()}


def pii_fields(event: type[Event]) -> frozenset[str]:
    """JSON names of the fields that are encrypted under the person's key."""
    return frozenset(
        name
        for name, field in json_fields(event).items()
        if any(isinstance(mark, Pii) for mark in field.metadata)
    )


def ingest_fields(event: type[Event]) -> frozenset[str]:
    """JSON names of the fields that ingest sets and no publisher may send."""
    return frozenset(
        name
        for name, field in json_fields(event).items()
        if isinstance(field.json_schema_extra, dict) and "set_by" in field.json_schema_extra
    )


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """The models that a field's type is made of: `Item` in `list[Item] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)
