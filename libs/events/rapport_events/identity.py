"""Who the customer is, and which of our records are one person."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from rapport_events.event import (
    PII,
    SET_BY_INGEST,
    Count,
    Day,
    Event,
    Identifiers,
    Name,
    Ref,
    SubjectId,
)

_Traits = Annotated[
    dict[str, Any] | None,
    PII,
    Field(description="What is known about them, free-form.", examples=[{"plan": "pro"}]),
]


class CustomerCreated(Event):
    """Somebody became a customer: signed up, or was entered by an agent."""

    type: ClassVar[str] = "customer.created.v1"
    segment: ClassVar[tuple[str, ...]] = ("Signed Up",)

    segment_: Name | None = Field(
        default=None,
        alias="segment",
        description="The publisher's customer segment.",
        examples=["consumer"],
    )
    tz: Name | None = Field(default=None, description="IANA time zone.", examples=["Europe/Berlin"])
    language: Name | None = Field(default=None, description="BCP 47 tag.", examples=["de"])
    first_name: Annotated[Name | None, PII] = Field(
        default=None, description="Given name.", examples=["Ada"]
    )
    last_name: Annotated[Name | None, PII] = Field(
        default=None, description="Family name.", examples=["Lovelace"]
    )
    email: Annotated[Ref | None, PII] = Field(
        default=None,
        description="E-mail address; also an identifier.",
        examples=["ada@example.com"],
    )
    phone: Annotated[Ref | None, PII] = Field(
        default=None, description="Phone number; also an identifier.", examples=["+4930901820"]
    )
    birth_date: Annotated[Day | None, PII] = Field(
        default=None, description="YYYY-MM-DD.", examples=["1990-12-10"]
    )
    email_consent: bool | None = Field(
        default=None, description="Said yes to marketing by e-mail.", examples=[True]
    )


class CustomerIdentified(Event):
    """A publisher said who somebody is, or learned something about them."""

    type: ClassVar[str] = "customer.identified.v1"
    segment: ClassVar[tuple[str, ...]] = ("identify",)

    identifiers: Annotated[Identifiers | None, PII] = Field(
        default=None,
        description="Every identifier that is now known to be theirs, by kind.",
        examples=[{"user_id": "u-97", "email": "ada@example.com"}],
    )
    traits: _Traits = None


class CustomerAliased(Event):
    """A publisher gave somebody a new id: both ids are one person."""

    type: ClassVar[str] = "customer.aliased.v1"
    segment: ClassVar[tuple[str, ...]] = ("alias",)

    previous_id: Annotated[Ref, PII] = Field(
        description="The id used until now.", examples=["anon-3f1c"]
    )
    user_id: Annotated[Ref | None, PII] = Field(
        default=None, description="The id used from now on.", examples=["u-97"]
    )
    previous_subject: SubjectId | None = Field(
        default=None,
        description="Subject id of `previous_id`.",
        json_schema_extra=SET_BY_INGEST,
        examples=["0b7f2c1e-6f7e-4a44-9d0e-3a52b6c0a001"],
    )


class CustomerMerged(Event):
    """Two records turned out to be one person; the event's own customer survives."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["from"]}, {"required": ["from_subject"]}]}
    )

    type: ClassVar[str] = "customer.merged.v1"

    from_: Annotated[Identifiers | None, PII] = Field(
        default=None,
        alias="from",
        description="Identifiers of the record that is absorbed.",
        examples=[{"user_id": "u-12"}],
    )
    from_subject: SubjectId | None = Field(
        default=None,
        description="Subject id of the record that is absorbed.",
        json_schema_extra=SET_BY_INGEST,
        examples=["0b7f2c1e-6f7e-4a44-9d0e-3a52b6c0a002"],
    )
    reason: Name | None = Field(default=None, description="Why.", examples=["same_phone"])
    actor: Ref | None = Field(
        default=None, description="Id of the agent or rule that decided it.", examples=["eve"]
    )

    @model_validator(mode="after")
    def _absorbs_somebody(self) -> Self:
        if self.from_ is None and self.from_subject is None:
            raise PydanticCustomError("missing", "is required", {"field": "from"})
        return self


class CustomerUnmerged(Event):
    """A merge was wrong: both people are as they were before it, plus what came since."""

    type: ClassVar[str] = "customer.unmerged.v1"

    merge_event_id: Ref = Field(
        description="Envelope `id` of the merge taken back.", examples=["evt-merge-7"]
    )
    merge_source: Ref | None = Field(
        default=None,
        description="Envelope `source` of that merge, when it is not this event's.",
        examples=["/rapport/profile"],
    )
    reason: Name | None = Field(default=None, description="Why.", examples=["shared_phone"])
    actor: Ref | None = Field(
        default=None, description="Id of the agent or rule that decided it.", examples=["eve"]
    )


class CustomerErased(Event):
    """A person's data keys were destroyed: what the log holds about them is unreadable for ever."""

    type: ClassVar[str] = "customer.erased.v1"

    keys_destroyed: Count | None = Field(
        default=None, description="How many data keys.", examples=[2]
    )
    certificate_id: Ref | None = Field(
        default=None, description="Id of the erasure certificate.", examples=["cert-2026-0017"]
    )


class CustomerGrouped(Event):
    """A customer belongs to an account: a company, a household."""

    type: ClassVar[str] = "customer.grouped.v1"
    segment: ClassVar[tuple[str, ...]] = ("group",)

    account_id: Ref = Field(description="The publisher's id of the account.", examples=["acme"])
    traits: _Traits = None


class SessionSignedIn(Event):
    """A customer signed in."""

    type: ClassVar[str] = "session.signed_in.v1"
    segment: ClassVar[tuple[str, ...]] = ("Signed In",)

    method: Name | None = Field(default=None, description="How.", examples=["password"])


class SessionSignedOut(Event):
    """A customer signed out."""

    type: ClassVar[str] = "session.signed_out.v1"
    segment: ClassVar[tuple[str, ...]] = ("Signed Out",)

    method: Name | None = Field(default=None, description="How.", examples=["timeout"])
