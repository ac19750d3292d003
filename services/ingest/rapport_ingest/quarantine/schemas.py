"""What operators see of quarantine."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from rapport_events.event import Timestamp


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Quarantined(BaseModel):
    """A refused event."""

    id: int
    code: str
    detail: str
    pointer: str | None = Field(description="JSON pointer; names that are no field names are `*`")
    adapter: str
    source: str
    event_id: str | None
    received_at: datetime
    seen: int = Field(description="How often it came")
    last_seen_at: datetime
    settled_as: str | None = Field(description="redriven, fixed, erased or discarded; null: waits")
    settled_at: datetime | None
    settled_by: str | None
    topic: str | None = Field(description="Where it stood, when it came by Kafka")
    partition: int | None
    offset: int | None
    payload: Any = Field(default=None, description="What was sent; needs profile:pii")


class Meta(BaseModel):
    masked: list[str] = Field(description="What the key may not see")


class QuarantinePage(BaseModel):
    """A page of refused events, the newest first."""

    items: list[Quarantined]
    next_cursor: str | None
    meta: Meta


class QuarantinedView(BaseModel):
    item: Quarantined
    meta: Meta


class Which(_Body):
    """Waiting events: by id, or all that meet every condition; at most 500 at a time."""

    ids: list[Annotated[int, Field(ge=1, le=2**63 - 1)]] | None = Field(
        default=None, min_length=1, max_length=500
    )
    code: str | None = Field(default=None, max_length=64)
    source: str | None = Field(default=None, max_length=256)
    received_from: Timestamp | None = None
    received_until: Timestamp | None = None

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("say which: ids, code, source, received_from or received_until")
        return self


class Fix(_Body):
    """A correction of one event."""

    id: int = Field(ge=1, le=2**63 - 1)
    patch: dict[str, JsonValue] = Field(description="RFC 7396 merge patch of the event as sent")
    dry_run: bool = False


class Tried(BaseModel):
    """What became of one event."""

    id: int
    settled_as: str | None = Field(description="null: it still waits, for the reason in `code`")
    code: str | None
    detail: str | None


class TriedAnswer(BaseModel):
    results: list[Tried]
    more: bool = Field(description="There may be more events like these: ask again")


class FixAnswer(BaseModel):
    accepted: bool = Field(description="The mended event is good")
    result: Tried


class DiscardAnswer(BaseModel):
    discarded: list[int]
    more: bool
