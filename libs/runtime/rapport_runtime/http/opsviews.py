"""What operators see of a projection."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from rapport_runtime.http.views import Instant, View

Outcome = Literal["redriven", "repeat", "still_parked", "not_waiting"]


class PartitionView(View):
    """How far the projection is in one partition."""

    partition: int
    position: int = Field(description="Offset of the next event to be applied")
    high_watermark: int = Field(description="End of the partition when it was looked at last")
    lag_events: int
    lag_seconds: float
    recorded_at: Instant | None = Field(description="When ingest accepted the last applied event")
    looked_at: Instant = Field(description="When a worker said so")


class StreamView(View):
    """One topic that this service reads."""

    projector: str
    topic: str
    partitions: list[PartitionView]
    lag_events: int
    lag_seconds: float
    parked: int = Field(description="Events that wait in `parked`")


class StreamsView(View):
    streams: list[StreamView]


class ParkedView(View):
    """An event that could not be applied. Its content is not shown."""

    id: int
    projector: str
    topic: str
    partition: int
    offset: int
    event: str | None = Field(description="Event key, 32 hex digits; null when unreadable")
    code: str
    detail: str
    bytes: int
    parked_at: Instant
    settled_at: Instant | None
    settled_as: str | None


class ParkedListView(View):
    parked: list[ParkedView]
    next_cursor: str | None


class Ids(BaseModel):
    """Which parked events."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    ids: Annotated[list[Annotated[int, Field(ge=1, le=2**53)]], Field(min_length=1, max_length=200)]


class RedrivenView(View):
    """What became of one parked event."""

    id: int
    outcome: Outcome


class RedriveView(View):
    results: list[RedrivenView]


class DiscardView(View):
    discarded: list[int] = Field(description="Those of the ids that were waiting")
