"""Which subjects are one person, and what a batch of events does to each person."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rapport_events import wire
from rapport_events.envelope import Record

from rapport_profile.domain.fold import Fact, fold, is_late
from rapport_profile.domain.state import Profile

REFERRING = {"order": "orders", "ticket": "tickets", "call": "calls"}
"""Kinds of things a customer can be found by, and where the profile keeps them."""

_LINKING = frozenset({wire.CustomerMerged, wire.CustomerAliased})

_REFERRING_TYPES = tuple(f"{kind}." for kind in REFERRING)


class Row(NamedTuple):
    """A subject as it is stored: either the person's own row, or a pointer to it."""

    subject: str
    merged_into: str | None
    members: Sequence[str] | None
    profile: Profile | None


class Reference(NamedTuple):
    kind: str
    ref: str
    subject: str


@dataclass(slots=True, eq=False)
class Person:
    """One person while a batch is folded."""

    root: str
    """The smallest subject id of the person: whichever order links arrive in, it is the same."""
    members: list[str]
    profile: Profile
    facts: list[Fact] = field(default_factory=list)
    is_stale: bool = False
    """The state cannot be carried on from where it is: fold the whole timeline anew."""
    is_joined: bool = False
    """The batch changed who belongs to this person."""


class People:
    """The persons of one batch, found by any of their subjects."""

    def __init__(self, rows: Mapping[str, Row]) -> None:
        self._by_subject: dict[str, Person] = {}
        self.known = set(rows)
        """Subjects that have a row: those of the batch, and their fellow members."""
        for row in rows.values():
            if row.merged_into is None:
                members = list(row.members or (row.subject,))
                person = Person(row.subject, members, row.profile or Profile())
                self.known.update(members)
                for member in members:
                    self._by_subject[member] = person

    def __iter__(self) -> Iterator[Person]:
        return iter({id(person): person for person in self._by_subject.values()}.values())

    def of(self, subject: str) -> Person:
        """The person of a subject; a subject never seen before is a person of its own."""
        person = self._by_subject.get(subject)
        if person is None:
            person = self._by_subject[subject] = Person(subject, [subject], Profile())
        return person

    def link(self, one: str, other: str) -> None:
        """Makes two subjects one person."""
        kept, gone = self.of(one), self.of(other)
        if kept is gone:
            return
        if kept.profile.first_seen is None:
            kept, gone = gone, kept
        # Two histories interleave, so both are folded anew; an empty one adds nothing.
        kept.is_stale = kept.is_stale or gone.is_stale or gone.profile.first_seen is not None
        kept.is_joined = True
        kept.members = sorted({*kept.members, *gone.members})
        kept.root = kept.members[0]
        kept.facts.extend(gone.facts)
        for member in gone.members:
            self._by_subject[member] = kept

    def add(self, facts: Iterable[Fact]) -> None:
        """Hands each event to its person, and joins people whom an event links."""
        for fact in facts:
            record, data = fact
            subject = record.envelope.subject
            if subject is None:
                continue
            self.of(subject).facts.append(fact)
            for linked in links(record, data):
                self.link(subject, linked)


def links(record: Record, data: wire.Data) -> Sequence[str]:
    """The subjects that an event says are the same person as its own."""
    linked = record.envelope.linked
    if linked is None and type(data) not in _LINKING:
        return ()
    subjects = linked.split(",") if linked else []
    if isinstance(data, wire.CustomerMerged) and data.from_subject is not None:
        subjects.append(data.from_subject)
    if isinstance(data, wire.CustomerAliased) and data.previous_subject is not None:
        subjects.append(data.previous_subject)
    return subjects


def carry_on(person: Person) -> None:
    """Folds the batch's events on top of the state, or finds that it has to be folded anew."""
    if len(person.facts) > 1:
        person.facts.sort(key=lambda fact: fact[0].order)
    if any(is_late(person.profile, record) for record, _ in person.facts):
        person.is_stale = True
    if not person.is_stale:
        fold(person.profile, person.facts)


def refold(person: Person, history: list[Fact]) -> None:
    """The profile from all its events."""
    history.sort(key=lambda fact: fact[0].order)
    person.profile = fold(Profile(), history)


def references(person: Person) -> set[Reference]:
    """Orders, tickets and calls that the batch names and that the profile did not know.

    Asked before the batch is folded.
    """
    found = set()
    for record, data in person.facts:
        type_ = record.envelope.type
        if not type_.startswith(_REFERRING_TYPES):
            continue
        kind = type_.partition(".")[0]
        ref = getattr(data, kind, None)
        if ref is not None and ref not in getattr(person.profile, REFERRING[kind]):
            found.add(Reference(kind, ref, record.envelope.subject or person.root))
    return found


def by_person(people: People, facts: Iterable[Fact]) -> dict[int, list[Fact]]:
    """Histories of several people apart, by `id` of the person."""
    histories: dict[int, list[Fact]] = defaultdict(list)
    for fact in facts:
        histories[id(people.of(fact[0].envelope.subject or ""))].append(fact)
    return histories
