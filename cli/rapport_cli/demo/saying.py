"""What the demo's publishers say: calls of a Segment client, and CloudEvents over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Verb = Literal["identify", "track", "page", "alias"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One event. `type` is what ingest makes of it, `refused` the code when it must not take it."""

    id: str
    customer: str
    type: str
    at: datetime
    sent: datetime
    """When it reaches us, in the story's time: the same as `at` unless it is late."""
    refused: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Said):
    """A call of segment-analytics-python. `name`: of the track event or the page."""

    verb: Verb
    user: str | None = None
    anonymous: str | None = None
    name: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    """Traits or properties."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Said):
    """A CloudEvent, sent with the key of that role."""

    source: str
    channel: str | None = None
    initiated_by: str | None = None
    identifiers: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    key: Literal["publisher", "agent"] = "publisher"

    def as_cloudevent(self) -> dict[str, Any]:
        """Structured mode, JSON."""
        event = {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "time": instant(self.at),
            "channel": self.channel,
            "initiatedby": self.initiated_by,
            "data": {"identifiers": dict(self.identifiers), **self.data},
        }
        return {name: value for name, value in event.items() if value is not None}


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
