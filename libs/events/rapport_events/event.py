"""What every event class shares: strictness, the mark of personal data, and field types.

An event class describes the `data` of one CloudEvent; the envelope (`rapport_events.envelope`)
carries who, when and where. So a field may be called `channel` or `subject` without
hiding the envelope's attribute of that name.
"""

from typing import Annotated, Any, ClassVar, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Pii:
    """Marks a field as personal data: it leaves ingest only as ciphertext."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "PII"


PII: Final = Pii()

Ref = Annotated[str, Field(min_length=1, max_length=256)]
"""The publisher's own id of a thing: an order, a ticket, an agent. Opaque."""

Name = Annotated[str, Field(min_length=1, max_length=256)]
"""A short label from the publisher's vocabulary: a topic, a reason, a plan."""

Text = Annotated[str, Field(max_length=16_384)]
"""Free text a person wrote. At most 16 KiB."""

Timestamp = Annotated[AwareDatetime, Field(strict=False)]
"""An instant, RFC 3339 with an offset."""

Minor = Annotated[int, Field(ge=0, le=2**53)]
"""An amount of money in minor units of its currency (cents for EUR, yen for JPY)."""

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])]
"""ISO 4217 alphabetic code."""

Seconds = Annotated[int, Field(ge=0, le=2**40)]
"""A duration in whole seconds."""

Count = Annotated[int, Field(ge=0, le=2**53)]


class Event(BaseModel):
    """The data of one kind of event. Facts only, in the past tense.

    Every field that a publisher may leave out defaults to None: nothing is invented.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    type: ClassVar[str]
    """CloudEvents `type`, kept for ever: `noun.past_participle.v<major>`."""

    segment: ClassVar[tuple[str, ...]] = ()
    """Names that the Segment spec gives to this event; the first is the canonical one."""

    properties: Annotated[dict[str, Any] | None, PII] = Field(
        default=None,
        description="Whatever else the publisher wants kept with the event. Encrypted.",
        examples=[{"experiment": "b"}],
    )


def pii_fields(event: type[Event]) -> frozenset[str]:
    """Names of the fields that are encrypted under the person's key."""
    return frozenset(
        name
        for name, field in event.model_fields.items()
        if any(isinstance(mark, Pii) for mark in field.metadata)
    )
