"""The whole way of one delivery: drafts in, records in the log and refusals in quarantine."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rapport_runtime.delivery import Placed
from rapport_runtime.http.consistency import encode_token

from rapport_ingest.blocked import Blocklist
from rapport_ingest.draft import Arrival, Draft, Rejection
from rapport_ingest.pipeline.check import Checked, check_draft
from rapport_ingest.pipeline.line import ERASED, Kept, Line
from rapport_ingest.pipeline.permission import Permission

AT_ONCE: Final = 500
"""Events judged and sealed between two turns of the event loop: some 30 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How some events came: what quarantine needs to try them again."""

    adapter: str
    """The dialect they were written in; a name in `rapport_ingest.dialects`."""
    arrival: Arrival
    permission: Permission
    frame: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What the request said about all of its events: `sentAt`, the call of a single route."""
    place: tuple[str, int, int] | None = None
    """Topic, partition and offset of an event that came by Kafka."""


Hold = Callable[[Sequence[Rejection], Delivery], Awaitable[None]]
"""Keep refused events in quarantine; raises `QuarantineUnavailableError`."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a delivery."""

    kept: list[Kept]
    rejected: list[Rejection]

    @property
    def spooled(self) -> int:
        """Events that are on disk because the broker is away; they are in the log later."""
        return sum(not isinstance(kept.place, Placed) for kept in self.kept)

    def token(self, topic: str) -> str | None:
        """For reads that must include these events; None while one of them is in the spool."""
        positions: dict[tuple[str, int], int] = {}
        for kept in self.kept:
            if not isinstance(kept.place, Placed) or kept.place.offset < 0:
                return None
            place = (topic, kept.place.partition)
            positions[place] = max(positions.get(place, 0), kept.place.offset)
        return encode_token(positions) if positions else None


async def accept(
    readings: Sequence[Draft | Rejection], delivery: Delivery, *, line: Line, hold: Hold
) -> Accepted:
    """Publish what is good, hold what is not; after this every event is in one safe place.

    The good ones go first, so a quarantine that is away delays nobody's data: the delivery then
    fails, and when it is sent again the good ones change nothing. Events of erased people are
    told to be refused, and kept nowhere.
    """
    kept: list[Kept] = []
    rejected: list[Rejection] = []
    for start in range(0, len(readings), AT_ONCE):
        part = readings[start : start + AT_ONCE]
        checked, refused = examine(part, delivery.permission, line.blocked)
        rejected += refused
        for outcome in await line.send(checked):
            if isinstance(outcome, Kept):
                kept.append(outcome)
            else:
                rejected.append(outcome)
    to_hold = [one for one in rejected if one.code != ERASED]
    if to_hold:
        await hold(to_hold, delivery)
    return Accepted(kept, sorted(rejected, key=lambda one: one.index))


def examine(
    readings: Sequence[Draft | Rejection], permission: Permission, blocked: Blocklist
) -> tuple[list[Checked], list[Rejection]]:
    """The drafts that stand, and all that do not."""
    checked: list[Checked] = []
    rejected: list[Rejection] = []
    for reading in readings:
        judged = judge(reading, permission, blocked)
        if isinstance(judged, Checked):
            checked.append(judged)
        else:
            rejected.append(judged)
    return checked, rejected


def judge(
    reading: Draft | Rejection, permission: Permission, blocked: Blocklist
) -> Checked | Rejection:
    """Whether an event stands; one that its adapter refused stays refused."""
    return reading if isinstance(reading, Rejection) else check_draft(reading, permission, blocked)
