"""What a batch says about who is who: claims that two subjects are one, cuts, erasures."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from rapport_events import wire
from rapport_events.envelope import Record

from rapport_profile.domain.fold import Fact
from rapport_profile.domain.identity import Cut, Edge, cut_of, edges_of, told_twice

_SPEAKING: Final = frozenset(
    {wire.CustomerMerged, wire.CustomerAliased, wire.CustomerUnmerged, wire.CustomerErased}
)
"""Events that speak of identity without `linked`."""


class Held(NamedTuple):
    """An edge as it is stored."""

    edge: Edge
    cut_by: bytes | None = None
    refused: str | None = None
    announced: str | None = None
    """Id of the last derived `customer.merged`, when it is not the one that the pair makes."""

    @property
    def is_in_force(self) -> bool:
        return self.edge.cut_at is None and self.refused is None


class Erasure(NamedTuple):
    """A person's wish: nothing of this subject is kept."""

    at: datetime
    certificate_id: str | None


@dataclass(slots=True)
class Claims:
    """The identity news of a batch, told once each."""

    subjects: set[str] = field(default_factory=set)
    """Everybody whom the batch names."""
    edges: dict[bytes, Edge] = field(default_factory=dict)
    """By merge key."""
    cuts: dict[bytes, Cut] = field(default_factory=dict)
    """By the merge key they name."""
    erased: dict[str, Erasure] = field(default_factory=dict)
    told_by: dict[bytes, Fact] = field(default_factory=dict)
    """Merge key of an edge, key of a cut's unmerge, to the event that says so."""
    erased_by: dict[str, Fact] = field(default_factory=dict)

    def without(self, gone: Collection[str]) -> None:
        """Forgets what is said of erased subjects. A cut names nobody, so it stays."""
        if gone:
            self.edges = {
                key: edge
                for key, edge in self.edges.items()
                if edge.a not in gone and edge.b not in gone
            }


def cut_for(edge: Edge, cuts: Mapping[bytes, Cut]) -> Cut | None:
    """The cut of an edge among those of the merge keys that were named."""
    cut = cuts.get(edge.merge_key)
    if cut is None and edge.explicit:
        # One event may join more than two subjects: its key cuts all of these edges.
        return cuts.get(edge.order[2])
    return cut


def retell(
    held: Mapping[bytes, Held], claims: Claims, cuts: Mapping[bytes, Cut]
) -> dict[bytes, Held]:
    """The edges as they are after the batch, not yet judged anew."""
    after = {}
    for key, before in held.items():
        claim = claims.edges.get(key)
        edge = before.edge if claim is None else told_twice(before.edge, claim)
        after[key] = _cut(before._replace(edge=edge), claims.cuts, cuts)
    for key, edge in claims.edges.items():
        # Others that are not held say nothing new, and are stored as they are.
        if key in cuts and key not in held:
            # It was cut before it was told, so it had no ends to be found by.
            after[key] = _cut(Held(edge), claims.cuts, cuts)
    return after


def _cut(held: Held, *sources: Mapping[bytes, Cut]) -> Held:
    """The earliest unmerge counts, whichever was heard of first."""
    for cuts in sources:
        cut = cut_for(held.edge, cuts)
        if cut is None:
            continue
        known = held.edge.cut_at
        if known is None or (cut.at, cut.by) < (known, held.cut_by or b""):
            held = held._replace(edge=held.edge._replace(cut_at=cut.at), cut_by=cut.by)
    return held


class _Telling(NamedTuple):
    fact: Fact
    known_at: datetime


def collect(facts: Iterable[Fact]) -> Claims:
    """One look at each event; most say nothing about identity."""
    claims = Claims()
    subjects = claims.subjects
    # Clients that name a user and a device do so in every event: of each pair one telling counts.
    links: dict[tuple[str | None, str | None, str | None], _Telling] = {}
    for fact in facts:
        record, data = fact
        envelope = record.envelope
        if envelope.subject is not None:
            subjects.add(envelope.subject)
        if type(data) in _SPEAKING:
            _hear(claims, fact)
        elif envelope.linked is not None:
            names = (envelope.subject, envelope.linked, envelope.identifiedby)
            known = links.get(names)
            links[names] = (
                _Telling(fact, envelope.recordedtime) if known is None else _earlier(known, fact)
            )
    for telling in links.values():
        for edge in edges_of(*telling.fact):
            _claim(claims, edge._replace(known_at=telling.known_at), telling.fact)
    return claims


def _earlier(known: _Telling, fact: Fact) -> _Telling:
    record: Record = fact[0]
    first = fact if record.order < known.fact[0].order else known.fact
    return _Telling(first, min(known.known_at, record.envelope.recordedtime))


def _hear(claims: Claims, fact: Fact) -> None:
    record, data = fact
    for edge in edges_of(record, data):
        _claim(claims, edge, fact)
    cut = cut_of(record, data)
    if cut is not None:
        known = claims.cuts.get(cut.merge_key)
        if known is None or (cut.at, cut.by) < (known.at, known.by):
            claims.cuts[cut.merge_key] = cut
            claims.told_by[cut.by] = fact
    subject = record.envelope.subject
    if isinstance(data, wire.CustomerErased) and subject is not None:
        erasure = Erasure(record.envelope.time, data.certificate_id)
        if subject not in claims.erased or erasure.at < claims.erased[subject].at:
            claims.erased[subject] = erasure
            claims.erased_by[subject] = fact


def _claim(claims: Claims, edge: Edge, fact: Fact) -> None:
    claims.subjects.update((edge.a, edge.b))
    known = claims.edges.get(edge.merge_key)
    if known is None or edge.order < known.order:
        claims.told_by[edge.merge_key] = fact
    claims.edges[edge.merge_key] = edge if known is None else told_twice(known, edge)
