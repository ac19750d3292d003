"""What the outside sees of ingest."""

from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field


class Rejected(BaseModel):
    """One event of a request that was refused; the others are not touched by it."""

    index: int = Field(description="Place of the event in the request, from 0", ge=0)
    id: str | None = Field(description="The publisher's id of it, where there is a readable one")
    code: str = Field(description="Stable; branch on this", examples=["unknown_field"])
    detail: str = Field(
        description="One sentence; names fields, never repeats what they held",
        examples=["/data/agnet: no such field; did you mean `agent`?"],
    )


class Answer(BaseModel):
    """What became of a request's events. Status 200, even if all were refused."""

    success: bool
    accepted: int = Field(description="Events that are in the log, or safe on their way", ge=0)
    rejected: list[Rejected]
    consistency_token: str | None = Field(
        description="Send it as `Consistency-Token` to read what these events changed; null "
        "while one of them waits for the broker, or none was accepted"
    )
    spooled: int = Field(description="Of the accepted, how many wait on disk for the broker", ge=0)


class Identity(BaseModel):
    """Whom an event was found to be about."""

    kinds: list[str]
    subject: str | None = Field(description="Subject id; null for nobody, or nobody known yet")
    new: bool | None = Field(default=None, description="This would be the first event of them")


class Understood(BaseModel):
    """What was read in one event."""

    index: int
    id: str
    source: str
    type: str
    time: datetime = Field(description="When it happened, corrected for clock skew")
    channel: str | None
    identity: Identity
    clear: list[str] = Field(description="Fields that are kept in clear")
    encrypted: list[str] = Field(description="Fields that are kept under the customer's key")
    notes: list[str] = Field(description="What was decided about it, in words")
    topic: str


class Verdict(BaseModel):
    """What `:validate` says; nothing was kept."""

    valid: bool
    accepted: int
    rejected: list[Rejected]
    events: list[Understood]


VALIDATED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": Verdict, "description": "What would become of each event"}
}
ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": Answer, "description": "What became of each event"}
}


def any_json(description: str, *types: str) -> dict[str, Any]:
    """The request body of a route that reads bytes by itself."""
    media = types or ("application/json", "text/plain")
    return {
        "requestBody": {
            "required": True,
            "description": description,
            "content": {one: {"schema": {}} for one in media},
        },
        "security": [{"ApiKey": []}],
    }


class Partition(BaseModel):
    """How far one partition is read."""

    partition: int
    position: int = Field(description="Offset of the next record to be taken")
    high_watermark: int = Field(description="End of the partition when it was looked at last")
    lag_events: int
    lag_seconds: float
    looked_at: datetime


class Stream(BaseModel):
    """One topic that ingest reads."""

    projector: str
    topic: str
    partitions: list[Partition]
    lag_events: int
    lag_seconds: float


class Streams(BaseModel):
    streams: list[Stream]
    parked: int = Field(description="Records that wait in `parked`")


class SpoolStatus(BaseModel):
    """What waits on this machine's disk for the broker."""

    topic: str
    events: int
    bytes: int
    limit_bytes: int
    oldest_seconds: float


class ParkedEvent(BaseModel):
    """A record that the worker could not take. Its content is not shown."""

    id: int
    topic: str
    partition: int
    offset: int
    code: str
    detail: str
    bytes: int
    parked_at: datetime
    settled_at: datetime | None
    settled_as: str | None


class ParkedPage(BaseModel):
    items: list[ParkedEvent]
    next_cursor: str | None


class ParkedIds(BaseModel):
    """Which parked records."""

    model_config = ConfigDict(extra="forbid", strict=True)

    ids: list[Annotated[int, Field(ge=1, le=2**63 - 1)]] = Field(min_length=1, max_length=200)


class Redriven(BaseModel):
    id: int
    outcome: str = Field(description="redriven, repeat, still_parked or not_waiting")


class ParkedRedriven(BaseModel):
    results: list[Redriven]


class ParkedDiscarded(BaseModel):
    discarded: list[int]
