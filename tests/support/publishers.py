"""Builders of what publishers send, and of what ingest makes of it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rapport_ingest.adapters import cloudevents, posthog, segment
from rapport_ingest.draft import Arrival, Draft, Rejection

RECEIVED = datetime(2026, 11, 22, 12, tzinfo=UTC)
ARRIVAL = Arrival(source="/shop", received=RECEIVED)


def call(type_: str, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """One event of the Segment spec, by `u-1` unless somebody else is named."""
    return {"type": type_, "userId": "u-1", "messageId": "m-1"} | members


def track(event: str, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return call("track", event=event, properties=properties)


def captured(event: str, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """One event of PostHog's shape."""
    return {"event": event, "distinct_id": "u-1", "uuid": "m-1"} | members


def cloudevent(type_: str, data: object = None, **attributes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    required = {"specversion": "1.0", "id": "m-1", "source": "/erp", "type": type_}
    return required | ({} if data is None else {"data": data}) | attributes


def from_segment(event: object) -> Draft:
    return only_draft(segment.read({"batch": [event]}, ARRIVAL))


def from_posthog(event: object) -> Draft:
    return only_draft(posthog.read({"batch": [event]}, ARRIVAL))


def from_cloudevent(event: object) -> Draft:
    return only_draft(cloudevents.read(event, ARRIVAL))


def only_draft(readings: Sequence[Draft | Rejection]) -> Draft:
    """The draft of the one event that was sent; says why when it was refused."""
    (reading,) = readings
    assert isinstance(reading, Draft), reading
    return reading


def only_rejection(readings: Sequence[Draft | Rejection]) -> Rejection:
    """The reason against the one event that was sent."""
    (reading,) = readings
    assert isinstance(reading, Rejection), reading
    return reading
