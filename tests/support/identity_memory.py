"""The projection of identity without a database: the same pure functions, rows in dictionaries."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from rapport_profile.domain.claims import Held, collect, cut_for, retell
from rapport_profile.domain.fold import Fact
from rapport_profile.domain.identity import Cut, Limits, partition
from rapport_profile.domain.people import (
    People,
    Person,
    Reference,
    Row,
    carry_on,
    references,
    refold,
)
from rapport_profile.domain.state import pack, unpack


class Picture(NamedTuple):
    """What readers can see, but for the timeline rows of merges themselves."""

    people: dict[str, tuple[tuple[str, ...], bytes]]
    """Root to members and packed state."""
    references: frozenset[Reference]
    edges: frozenset[tuple[bytes, str, str, str | None]]
    """Merge key, subjects and guard of what holds, or would but for a guard."""


@dataclass
class Memory:
    """A projection that is told batches."""

    limits: Limits = field(default_factory=Limits)
    timeline: dict[bytes, Fact] = field(default_factory=dict)
    edges: dict[bytes, Held] = field(default_factory=dict)
    cuts: dict[bytes, Cut] = field(default_factory=dict)
    references: set[Reference] = field(default_factory=set)
    rows: dict[str, tuple[str | None, list[str] | None, bytes | None]] = field(default_factory=dict)

    def tell(self, batch: Sequence[Record]) -> None:
        new = {r.key: (r, decode_data(r.envelope)) for r in batch if r.key not in self.timeline}
        claims = collect(new.values())
        self.timeline |= new
        unsaid = claims.edges.keys() - self.edges.keys() - self.cuts.keys()
        self.edges |= {key: Held(claims.edges[key]) for key in unsaid}
        self.edges = retell(self.edges, claims, self.cuts)
        for key, cut in claims.cuts.items():
            if not any(cut_for(held.edge, {key: cut}) for held in self.edges.values()):
                self.cuts[key] = min(cut, self.cuts.get(key, cut), key=lambda one: (one.at, one.by))
        verdict = partition([held.edge for held in self.edges.values()], self.limits)
        for key, held in self.edges.items():
            self.edges[key] = held._replace(refused=verdict.refused.get(key))
        people = People({s: self._row(s, *row) for s, row in self.rows.items()})
        people.regroup(verdict.persons)
        people.add(new.values())
        for person in people:
            if person.is_touched:
                self._follow(person)

    def _row(
        self, subject: str, merged_into: str | None, members: list[str] | None, state: bytes | None
    ) -> Row:
        return Row(subject, merged_into, members, None if state is None else unpack(state))

    def _follow(self, person: Person) -> None:
        self.references |= references(person)
        carry_on(person)
        if person.is_stale:
            history = self.timeline.values()
            refold(person, [f for f in history if f[0].envelope.subject in person.members])
        for member in person.members[1:]:
            self.rows[member] = (person.root, None, None)
        members = person.members if len(person.members) > 1 else None
        state = None if person.is_blank else pack(person.profile)
        self.rows[person.root] = (None, members, state)

    def picture(self) -> Picture:
        return Picture(
            {
                root: (tuple(members or (root,)), state)
                for root, (_, members, state) in self.rows.items()
                if state is not None
            },
            frozenset(self.references),
            frozenset(
                (key, held.edge.a, held.edge.b, held.refused)
                for key, held in self.edges.items()
                if held.edge.cut_at is None
            ),
        )


def naive_picture(records: Sequence[Record], limits: Limits | None = None) -> Picture:
    """The same from everything at once, in one batch: no carrying on, no regrouping."""
    memory = Memory(limits or Limits())
    memory.tell(sorted(records, key=lambda record: record.order))
    return memory.picture()
