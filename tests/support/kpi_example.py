"""The worked KPI example, where it is present: its events, its numbers, and what reads them.

It names customers `c00196`; here these names stand in for subject ids.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace
from rapport_events import wire
from rapport_metrics.domain.happening import Happening
from rapport_metrics.domain.instants import instant
from rapport_metrics.domain.told import By

FOLDER: Final = Path(__file__).parents[3] / "shared" / "data" / "kpi-example"
IS_PRESENT: Final = (FOLDER / "kpis.json").exists()

_LONGER_NAMES: Final = {"subject": "about"}


class Window(NamedTuple):
    """A month of the example, or all of it; instants in microseconds, [start, end)."""

    name: str
    start: int
    end: int


def expected() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FOLDER / "kpis.json").read_text())
    return document


def lines() -> list[dict[str, Any]]:
    """The events in log order, as the file has them; repeats included."""
    with gzip.open(FOLDER / "events.jsonl.gz") as file:
        return [json.loads(line) for line in file]


def happenings(events: Iterable[Mapping[str, Any]]) -> Iterator[Happening]:
    """What the metrics service would read: each event once, and nothing of erased people.

    That a person is erased is said of each of their names, as the profile service does.
    """
    seen: set[str] = set()
    people = _People()
    for event in events:
        customer = event["customer"]
        if event["id"] in seen or (customer and people.root(customer) in people.erased):
            continue
        seen.add(event["id"])
        happening = _happening(event)
        match happening.data:
            case wire.CustomerMerged(from_subject=str(absorbed)):
                if people.merge(customer, absorbed):
                    yield happening
            case wire.CustomerErased():
                for name in people.erase(customer):
                    yield replace(happening, by=replace(happening.by, subject=name))
            case _:
                yield happening


def windows(document: Mapping[str, Any]) -> list[Window]:
    """The windows of the example, none of them reaching beyond its end."""
    start, end = (instant(datetime.fromisoformat(document[name])) for name in ("start", "end"))
    found = [Window("all", start, end)]
    for name in document["windows"]:
        if name != "all":
            year, month = map(int, name.split("-"))
            following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
            begins = instant(datetime(year, month, 1, tzinfo=UTC))
            found.append(Window(name, begins, min(instant(following), end)))
    return found


class _People:
    """Who is one person so far in the log."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}
        self._names: dict[str, set[str]] = defaultdict(set)
        self.erased: set[str] = set()

    def root(self, name: str) -> str:
        while (parent := self._parent.get(name, name)) != name:
            name = parent
        return name

    def merge(self, survivor: str, absorbed: str) -> bool:
        kept, gone = self.root(survivor), self.root(absorbed)
        if kept == gone or gone in self.erased:
            return False
        self._parent[gone] = kept
        self._names[kept] |= {gone, *self._names[gone]}
        return True

    def erase(self, name: str) -> list[str]:
        root = self.root(name)
        self.erased.add(root)
        return [root, *sorted(self._names[root])]


def _happening(event: Mapping[str, Any]) -> Happening:
    by = By(
        instant(datetime.fromisoformat(event["time"].replace("Z", "+00:00"))),
        event["id"].encode(),
        event["channel"],
        event["customer"],
    )
    match event["type"]:
        case "customer.merged":
            return Happening(by, wire.CustomerMerged(from_subject=event["data"]["from"]))
        case "customer.erased":
            return Happening(by, wire.CustomerErased())
    data = {_LONGER_NAMES.get(name, name): value for name, value in event["data"].items()}
    return Happening(by, msgspec.convert(data, wire.BY_TYPE[f"{event['type']}.v1"], strict=False))
