"""One customer at two moments: both states in one pass, and the events that are between them."""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from rapport_events.envelope import Record
from rapport_runtime.pool import Snapshot

from rapport_profile.domain.changes import Item, Watch
from rapport_profile.domain.fold import Fact, fold
from rapport_profile.domain.identity import Edge
from rapport_profile.domain.state import Profile, pack, unpack
from rapport_profile.edges import load_held
from rapport_profile.history import CHUNK, When, bounds, fact_of
from rapport_profile.queries import MOST_TRAIT_EVENTS, load_events
from rapport_profile.reader import Stored
from rapport_profile.tables import TRAIT_BEARING

MOST_CAUSES: Final = 20

_BOTH: Final = """
SELECT event_key, topic, partition, "offset", value,
    subject_id = ANY($1::text[]::uuid[]) AND time <= $2 AND recordedtime <= $3,
    subject_id = ANY($4::text[]::uuid[]) AND time <= $5 AND recordedtime <= $6
FROM timeline
WHERE subject_id = ANY($1::text[]::uuid[] || $4::text[]::uuid[])
    AND time <= greatest($2, $5) AND recordedtime <= greatest($3, $6)
ORDER BY time, recordedtime, event_key
"""


class Cause(NamedTuple):
    """An event that only one of the two pictures has."""

    key: bytes
    type: str
    source: str
    time: datetime
    recordedtime: datetime
    gone: bool
    """It is the later picture that lacks it."""

    @property
    def order(self) -> tuple[datetime, datetime, bytes]:
        return self.time, self.recordedtime, self.key


@dataclass(slots=True)
class Causes:
    """What changed one item."""

    newest: deque[Cause] = field(default_factory=lambda: deque(maxlen=MOST_CAUSES))
    """Oldest first."""
    count: int = 0

    def add(self, cause: Cause) -> None:
        self.newest.append(cause)
        self.count += 1


class Side(NamedTuple):
    """A person at a moment."""

    members: Sequence[str]
    when: When


@dataclass(slots=True)
class Picture:
    """What is known of one side."""

    profile: Profile = field(default_factory=Profile)
    trait_events: deque[Stored] = field(default_factory=lambda: deque(maxlen=MOST_TRAIT_EVENTS))
    """Newest first."""

    def take(self, stored: Stored, fact: Fact) -> None:
        fold(self.profile, [fact])
        if fact[0].envelope.type in TRAIT_BEARING:
            self.trait_events.appendleft(stored)


@dataclass(slots=True)
class Compared:
    """Both pictures, and why they differ."""

    before: Picture = field(default_factory=Picture)
    after: Picture = field(default_factory=Picture)
    causes: dict[Item, Causes] = field(default_factory=lambda: defaultdict(Causes))
    told: dict[bytes, Cause] = field(default_factory=dict)
    """Trait events that only one side has: what they say must be opened to be known."""
    is_split: bool = False
    """Up to the first event that only one side has, `before` is both."""

    def split(self) -> None:
        if not self.is_split:
            self.is_split = True
            self.after.profile = unpack(pack(self.before.profile))
            self.after.trait_events = self.before.trait_events.copy()


async def compare(snap: Snapshot, one: Side, other: Side) -> Compared:
    """Folds both sides. An event that only one of them has is a cause of what it touches."""
    found, watch = Compared(), Watch()
    cursor = await snap.cursor(_BOTH, *bounds(*one), *bounds(*other))
    while rows := await cursor.fetch(CHUNK):
        for *row, is_before, is_after in rows:
            stored = Stored(*row)
            fact = fact_of(stored)
            if is_before is not is_after:
                found.split()
                _blame(found, fact, watch.touched(fact), gone=is_before)
            if is_before:
                found.before.take(stored, fact)
            if is_after and found.is_split:
                found.after.take(stored, fact)
    found.split()
    return found


def _blame(found: Compared, fact: Fact, items: Iterable[Item], *, gone: bool) -> None:
    cause = cause_of(fact[0], gone=gone)
    for item in items:
        found.causes[item].add(cause)
    if cause.type in TRAIT_BEARING:
        found.told[cause.key] = cause


def cause_of(record: Record, *, gone: bool) -> Cause:
    envelope = record.envelope
    return Cause(
        record.key, envelope.type, envelope.source, envelope.time, envelope.recordedtime, gone
    )


async def load_joints(snap: Snapshot, one: Side, other: Side) -> dict[str, Causes]:
    """Subject to the events that joined it to others, or took it from them, between the moments.

    Of a link that is the first event to tell it; of a merge and an unmerge, the event itself.
    """
    turned: dict[bytes, tuple[Edge, bool]] = {}
    for held in (await load_held(snap, {*one.members, *other.members})).values():
        stood, stands = (held.edge.stands(side.when.known_at) for side in (one, other))
        if stood is not stands:
            key = held.cut_by if stood else held.edge.order[2]
            turned[key or b""] = held.edge, stood
    joints: dict[str, Causes] = defaultdict(Causes)
    for stored in sorted(await load_events(snap, turned.keys())):
        edge, is_gone = turned[stored.key]
        for subject in (edge.a, edge.b):
            joints[subject].add(cause_of(fact_of(stored)[0], gone=is_gone))
    return joints
