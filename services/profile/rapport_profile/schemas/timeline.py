"""The history of one customer, as events or as cards."""

from typing import Literal

from pydantic import Field
from rapport_runtime.http.views import Instant, View

from rapport_profile.schemas.base import Json, Meta, Text


class PlaceView(View):
    """Where in the log the event is."""

    topic: str
    partition: int
    offset: int


class EventView(View):
    """One CloudEvent, its personal fields decrypted as far as the caller may see them."""

    key: str = Field(description="Event key, 32 hex digits")
    id: str
    source: str
    type: str
    time: Instant
    recordedtime: Instant
    subject: str | None
    linked: list[str]
    channel: str | None
    initiatedby: str | None
    correlationid: str | None
    causationid: str | None
    traceparent: str | None
    historical: bool
    data: dict[str, Json]
    position: PlaceView


class CardView(View):
    """One happening as a person tells it; neighbours that say little alone are one card."""

    title: str = Field(examples=["40 pages viewed"])
    type: str = Field(description="Type of the newest event", examples=["page.viewed.v1"])
    channel: str | None
    time: Instant = Field(description="Time of the newest event")
    first_time: Instant
    last_time: Instant
    count: int = Field(description="Number of events in this card")
    counts: dict[str, int] = Field(description="Number of events by type")
    samples: list[str] = Field(description="Some of the pages, products or searches; newest first")
    text: Text = Field(description="What somebody wrote: message, note, comment")
    refs: dict[str, str] = Field(
        description="Order, ticket, call … it belongs to", examples=[{"ticket": "T-1042"}]
    )
    source: str
    event: str = Field(description="Event key of the newest event, 32 hex digits")


class TimelineView(View):
    """A page of the raw history, newest first."""

    view: Literal["raw"] = "raw"
    subject: str
    events: list[EventView]
    next_cursor: str | None
    meta: Meta


class CardsView(View):
    """A page of the history as cards, newest first."""

    view: Literal["cards"] = "cards"
    subject: str
    cards: list[CardView]
    next_cursor: str | None
    meta: Meta
