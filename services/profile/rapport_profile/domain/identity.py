"""Who is one person: a pure function of what was said about pairs of subjects.

An edge says that two subjects are one person. Nothing but the set of edges decides, so neither the
order in which they were heard of nor what happened in between leaves a trace: a merge that was
cut is as good as one that never was.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Final, NamedTuple
from uuid import UUID, uuid5

from rapport_events import wire
from rapport_events.envelope import Record, event_key

from rapport_profile.domain.groups import Groups

SOURCE: Final = "/rapport/profile"
"""CloudEvents source of what this service concludes."""

LINKED: Final = "linked"
"""The rule by which an event with several identifiers makes them one person."""

_LIMITED: Final = frozenset({"user_id", "email", "phone", "anonymous_id"})
_EXPLICIT: Final = (wire.CustomerMerged, wire.CustomerAliased)

Order = tuple[datetime, datetime, bytes]
"""Fold order of an event: time, recordedtime, event key."""


class Edge(NamedTuple):
    """Two subjects are one person."""

    merge_key: bytes
    """What an unmerge names. Of a link: a function of the pair, whichever event tells it. Of a
    merge or an alias: the event's own key; `extra_key` where one event joins more than two."""
    a: str
    b: str
    """Always a < b."""
    kind_a: str | None
    kind_b: str | None
    """Kind of identifier behind each; None: told by an event from before kinds were told."""
    order: Order
    """The least of the events that say so."""
    known_at: datetime
    """The least recordedtime of those events."""
    explicit: bool
    """Said by somebody, not found out: no guard holds it back."""
    cut_at: datetime | None = None
    """When an unmerge was recorded."""

    def stands(self, known_at: datetime | None = None) -> bool:
        """Whether it was told and not taken back; with `known_at`, as it was known then."""
        if known_at is None:
            return self.cut_at is None
        return self.known_at <= known_at and (self.cut_at is None or self.cut_at > known_at)


class Cut(NamedTuple):
    """An unmerge: the edges of this key hold no more, whenever they are told."""

    merge_key: bytes
    at: datetime
    by: bytes
    """Event key of the unmerge."""


class Partition(NamedTuple):
    persons: list[tuple[str, ...]]
    """Every subject of the edges once, each person's sorted: the first one is the root."""
    refused: dict[bytes, str]
    """Merge key of a link that a guard holds back, and why: `user_id: 2 > 1`."""

    def person_of(self, subject: str) -> tuple[str, ...]:
        """Everybody who is one person with the subject; one without edges is alone."""
        return next((person for person in self.persons if subject in person), (subject,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many identifiers of a kind links alone may give one person."""

    user_id: int = 1
    email: int = 5
    phone: int = 5
    anonymous_id: int = 100
    other: int = 5
    """Of any further kind."""

    def most(self, kind: str) -> int:
        return getattr(self, kind) if kind in _LIMITED else self.other


def pair_key(one: str, other: str) -> bytes:
    """16 bytes that stand for two subjects, in any order."""
    return blake2b("\0".join(sorted((one, other))).encode(), digest_size=16).digest()


def link_id(one: str, other: str) -> str:
    """Id of the derived `customer.merged` that tells a link: what an unmerge names."""
    return str(uuid5(UUID(bytes=pair_key(one, other)), LINKED))


def link_key(one: str, other: str) -> bytes:
    """Merge key of the link between two subjects."""
    return event_key(SOURCE, link_id(one, other))


def extra_key(merge_key: bytes, subject: str) -> bytes:
    """Key of a further edge of one merge event; whatever cuts the merge cuts it too."""
    return blake2b(merge_key + subject.encode(), digest_size=16).digest()


def edges_of(record: Record, data: wire.Data) -> list[Edge]:
    """What an event says about who is who."""
    envelope = record.envelope
    subject = envelope.subject
    if subject is None:
        return []
    others = dict.fromkeys(envelope.linked_subjects)
    explicit = isinstance(data, _EXPLICIT)
    if isinstance(data, _EXPLICIT) and (joined := _joined(data)) is not None:
        others = dict.fromkeys((joined, *others))
    others.pop(subject, None)
    kinds = envelope.kinds if others else {}
    return [
        _edge(
            _explicit_key(record.key, number, other) if explicit else link_key(subject, other),
            (subject, other),
            kinds,
            record,
            explicit=explicit,
        )
        for number, other in enumerate(others)
    ]


def _joined(data: wire.CustomerMerged | wire.CustomerAliased) -> str | None:
    return data.from_subject if isinstance(data, wire.CustomerMerged) else data.previous_subject


def _explicit_key(key: bytes, number: int, other: str) -> bytes:
    return extra_key(key, other) if number else key


def _edge(
    merge_key: bytes,
    pair: tuple[str, str],
    kinds: Mapping[str, str],
    record: Record,
    *,
    explicit: bool,
) -> Edge:
    a, b = sorted(pair)
    recorded = record.envelope.recordedtime
    return Edge(merge_key, a, b, kinds.get(a), kinds.get(b), record.order, recorded, explicit)


def cut_of(record: Record, data: wire.Data) -> Cut | None:
    """The merge that an event takes back."""
    if not isinstance(data, wire.CustomerUnmerged):
        return None
    key = event_key(data.merge_source or record.envelope.source, data.merge_event_id)
    return Cut(key, record.envelope.recordedtime, record.key)


def told_twice(one: Edge, other: Edge) -> Edge:
    """One edge from two tellings of it; which came first does not matter."""
    return one._replace(
        kind_a=_least(one.kind_a, other.kind_a),
        kind_b=_least(one.kind_b, other.kind_b),
        order=min(one.order, other.order),
        known_at=min(one.known_at, other.known_at),
        cut_at=_least_time(one.cut_at, other.cut_at),
    )


def _least(one: str | None, other: str | None) -> str | None:
    return min(filter(None, (one, other)), default=None)


def _least_time(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(filter(None, (one, other)), default=None)


def partition(edges: Iterable[Edge], limits: Limits, known_at: datetime | None = None) -> Partition:
    """The persons that the edges make; with `known_at`, as they were known then.

    What somebody said comes first. Links follow in the order in which they happened, each unless
    it would give a person too many identifiers of a kind.
    """
    everything = list(edges)
    standing = [edge for edge in everything if edge.stands(known_at)]
    subjects = (end for edge in everything for end in (edge.a, edge.b))
    # Kinds are known from what stands alone: what was taken back leaves no trace.
    groups = Groups(subjects, _kinds(standing), limits.most)
    refused = {}
    for edge in standing:
        if edge.explicit:
            groups.join(edge.a, edge.b)
    links = (edge for edge in standing if not edge.explicit)
    for edge in sorted(links, key=lambda link: (link.order, link.merge_key)):
        reason = groups.objection(edge.a, edge.b)
        if reason is None:
            groups.join(edge.a, edge.b)
        else:
            refused[edge.merge_key] = reason
    return Partition(groups.persons(), refused)


def _kinds(edges: Iterable[Edge]) -> dict[str, str]:
    """The kind of each subject; the least, should events ever disagree."""
    kinds: dict[str, str] = {}
    for edge in edges:
        for subject, kind in ((edge.a, edge.kind_a), (edge.b, edge.kind_b)):
            if kind is not None:
                kinds[subject] = min(kind, kinds.get(subject, kind))
    return kinds
