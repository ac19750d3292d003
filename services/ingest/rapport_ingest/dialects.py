"""The dialects by name, so that a quarantined event can be read again the way it came."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rapport_ingest.adapters import cloudevents, posthog, segment
from rapport_ingest.canonical import canonicalise
from rapport_ingest.draft import Arrival, Draft, Rejection

Readings = list[Draft | Rejection]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way in which publishers speak."""

    name: str
    read: Callable[[object, Arrival, str | None], Readings]
    """The events of a parsed request; the last argument is the call that the path named."""
    around: tuple[str, ...] = ()
    """Members beside the batch that its events are read by."""

    def frame(self, body: object, call: str | None) -> dict[str, Any]:
        """What the request said of all its events, for a second reading of one of them."""
        kept: dict[str, Any] = {} if call is None else {_CALL: call}
        if isinstance(body, dict) and "batch" in body:
            around = canonicalise({name: body[name] for name in self.around if name in body})
            kept |= around if isinstance(around, dict) else {}
        return kept

    def read_again(self, event: object, frame: Mapping[str, Any], arrival: Arrival) -> Readings:
        """One event of a request that was framed so."""
        call = frame.get(_CALL)
        around = {name: value for name, value in frame.items() if name != _CALL}
        return self.read({**around, "batch": [event]} if self.around else event, arrival, call)


_CALL: Final = "call"


def _segment(body: object, arrival: Arrival, call: str | None) -> Readings:
    return segment.read(body, arrival, call=call)


def _posthog(body: object, arrival: Arrival, _: str | None) -> Readings:
    return posthog.read(body, arrival)


def _cloudevents(body: object, arrival: Arrival, _: str | None) -> Readings:
    return cloudevents.read(body, arrival)


SEGMENT: Final = Dialect("segment", _segment, ("sentAt", "context"))
POSTHOG: Final = Dialect("posthog", _posthog, ("sent_at", "created_at", "historical_migration"))
CLOUDEVENTS: Final = Dialect("cloudevents", _cloudevents)

BY_NAME: Final[Mapping[str, Dialect]] = {
    dialect.name: dialect for dialect in (SEGMENT, POSTHOG, CLOUDEVENTS)
}
