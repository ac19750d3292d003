"""The log that the metrics benchmarks replay: the worked KPI example, many times at once.

Every copy of the example has customers, tickets, orders and event ids of its own, and all copies
happen at the same time, as in a house with so many times more customers. Where the example's
file is not present, lives of the same shape take its place.
"""

import gzip
import json
import random
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from rapport_events.codec import encode

from bench.kpi_lives import Line, lives
from bench.workload import LogEntry

EXAMPLE: Final = Path(__file__).parents[2] / "shared" / "data" / "kpi-example" / "events.jsonl.gz"
_IDENTITY: Final = ("customer.merged", "customer.erased")
_NAMES: Final = ("ticket", "call", "survey", "order", "session", "cart", "refund")
_OURS: Final = {"subject": "about"}


def kpi_entries(events: int, seed: int = 1, first: int = 0) -> Iterator[LogEntry]:
    """`events` events of the interactions' topic; identity is left to the profile service.

    Logs with another `first`, a multiple of `events`, are of other customers.
    """
    lines = _example() if EXAMPLE.exists() else lives(300, seed)
    copies = -(-events // len(lines))
    chance, number = random.Random(seed), 0
    for line in lines:
        for copy in range(copies):
            if number == events:
                return
            yield _entry(line, first + copy, first + number, chance)
            number += 1


def _example() -> list[Line]:
    with gzip.open(EXAMPLE) as file:
        told = {one["id"]: one for one in map(json.loads, file)}
    return [_line(one) for one in told.values() if one["type"] not in _IDENTITY and one["customer"]]


def _line(one: dict[str, Any]) -> Line:
    data = {_OURS.get(name, name): value for name, value in one["data"].items()}
    if one["type"] == "cart.updated":
        data["currency"] = "EUR"
    at = datetime.fromisoformat(one["time"])
    return Line(f"{one['type']}.v1", at, one["customer"], one["channel"], data)


def _entry(line: Line, copy: int, number: int, chance: random.Random) -> LogEntry:
    name = str(UUID(int=random.Random(f"{line.customer}/{copy}").getrandbits(128), version=4))
    data = {field: value for field, value in line.data.items() if value is not None}
    for field in _NAMES:
        if field in data:
            data[field] = f"{data[field]}-{copy}"
    told = line.time + timedelta(seconds=2)
    data["context"] = {
        "clock": {"original": line.time.isoformat(), "received": told.isoformat()},
        "library": "analytics-python/2.4.0",
    }
    attributes: dict[str, Any] = {
        "id": f"kpi-{number:09d}",
        "source": "/shop",
        "type": line.type,
        "time": line.time,
        "recordedtime": told,
        "subject": name,
        "partitionkey": name,
        "initiatedby": "customer",
        "fingerprint": urlsafe_b64encode(chance.randbytes(16)).decode().rstrip("="),
    }
    if line.channel is not None:
        attributes["channel"] = line.channel
    return LogEntry(name.encode(), encode(attributes, data), attributes["source"], attributes["id"])
