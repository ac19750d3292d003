"""What ingest makes of the requests that eleven client modes really sent.

`python -m tests.contract.sdk_drafts` writes the golden file anew; read the difference.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rapport_ingest.adapters import posthog, segment
from rapport_ingest.adapters.cloudevents_binding import read_http
from rapport_ingest.canonical import parse
from rapport_ingest.draft import Arrival, Draft, Rejection

DATA = Path(__file__).parent / "data"
REQUESTS = DATA / "sdk_requests.json"
GOLDEN = DATA / "sdk_drafts.json"

ARRIVAL = Arrival(source="/recorded", received=datetime(2026, 11, 22, 6, tzinfo=UTC))


def recorded() -> dict[str, Any]:
    """Requests by client mode, as a logging server wrote them down."""
    loaded: dict[str, Any] = json.loads(REQUESTS.read_bytes())
    return {mode: client["requests"] for mode, client in loaded.items()}


def read(request: dict[str, Any]) -> list[Draft | Rejection]:
    """The events of one recorded request, by the dialect of its path."""
    path, body = request["path"].strip("/"), json.dumps(request["body"]).encode()
    if path.startswith("ce"):
        return read_http(request["headers"].items(), body, ARRIVAL)
    if path in ("batch", "i/v1/analytics/events"):
        return posthog.read(parse(body), ARRIVAL)
    return segment.read(parse(body), ARRIVAL, call=path.rpartition("/")[2])


def told(reading: Draft | Rejection) -> dict[str, Any]:
    """A reading as JSON, without what every reading of these requests has."""
    shown = asdict(reading)
    shown.pop("raw")
    if isinstance(reading, Draft):
        shown["occurred"] = reading.occurred.isoformat()
    return {name: value for name, value in shown.items() if value not in (None, {}, (), False)}


def drafts() -> dict[str, Any]:
    """What the golden file holds: readings by client mode, request by request."""
    return {
        mode: [[told(reading) for reading in read(request)] for request in requests]
        for mode, requests in recorded().items()
    }


if __name__ == "__main__":
    text = json.dumps(drafts(), indent=1, ensure_ascii=False, sort_keys=True)
    GOLDEN.write_text(text + "\n")
