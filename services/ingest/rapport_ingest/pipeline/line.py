"""The way from checked events to places in the log: resolved, sealed, published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from rapport_events.codec import Problem
from rapport_privacy.keyring import Resolved, Suppressed
from rapport_runtime.delivery import Placed, TooLarge
from rapport_runtime.failpoint import failpoint
from rapport_runtime.pending import Spooled
from rapport_runtime.producer import EventProducer

from rapport_ingest.blocked import Blocklist
from rapport_ingest.draft import Rejection
from rapport_ingest.pipeline.check import Checked, rejection
from rapport_ingest.pipeline.seal import Mac, Sealed, seal_event
from rapport_ingest.pipeline.together import People

ERASED: Final = "erased"


@dataclass(frozen=True, slots=True)
class Kept:
    """An event that is in the log, or safe on disk on its way there."""

    event: Sealed
    place: Placed | Spooled


@dataclass(frozen=True, slots=True)
class Line:
    """What it takes to publish; one per process."""

    people: People
    producer: EventProducer
    topic: str
    blocked: Blocklist

    async def send(self, events: Sequence[Checked]) -> list[Kept | Rejection]:
        """What became of each event, in order; the kept ones are in the log or in the spool.

        Raises KeyringUnavailableError before anything is published, and SpoolFullError, after
        which some may have been: sent again, they change nothing.
        """
        if not events:
            return []
        named = [one for event in events for one in event.named]
        people = iter(await self.people.resolve(named))
        now = datetime.now(UTC)
        mac = self.people.keyring.mac_local
        sealed = [_sealed(event, [next(people) for _ in event.named], now, mac) for event in events]
        going = [one.record for one in sealed if isinstance(one, Sealed)]
        failpoint("before_publish")
        places = iter(await self.producer.publish(going) if going else ())
        failpoint("after_publish")
        return [_kept(one, next(places)) if isinstance(one, Sealed) else one for one in sealed]


_GONE: Final = Problem(
    "/data/identifiers", ERASED, "the person was erased; what is sent about them is not kept"
)


def _sealed(
    event: Checked, people: Sequence[Resolved | Suppressed], now: datetime, mac: Mac
) -> Sealed | Rejection:
    known = []
    for person in people:
        if isinstance(person, Suppressed):
            return rejection(event.draft, _GONE)
        known.append(person)
    return seal_event(event, known, now, mac)


def _kept(event: Sealed, place: Placed | Spooled | TooLarge) -> Kept | Rejection:
    if isinstance(place, TooLarge):
        detail = f"sealed it has {place.size} bytes, more than the log takes ({place.limit})"
        return rejection(event.checked.draft, Problem("", "too_large", detail))
    return Kept(event, place)
