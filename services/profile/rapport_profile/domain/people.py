"""The persons of a batch, and what its events do to each of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from rapport_profile.domain.fold import Fact, fold, is_late
from rapport_profile.domain.state import Profile

REFERRING: Final = {"order": "orders", "ticket": "tickets", "call": "calls"}
"""Kinds of things a customer can be found by, and where the profile keeps them."""

_NAMING: Final = {
    "order": "order", "shipment": "order", "return": "order", "ticket": "ticket", "call": "call"
}  # fmt: skip
"""Nouns of the events that bring such a thing into the profile, and its kind."""

_NAMING_TYPES: Final = tuple(f"{noun}." for noun in _NAMING)


class Row(NamedTuple):
    """A subject as it is stored: either the person's own row, or a pointer to it.

    A row may have no profile: nothing has happened to the subject, but somebody named it.
    """

    subject: str
    merged_into: str | None
    members: Sequence[str] | None
    profile: Profile | None
    erased_at: datetime | None = None


def buried(rows: Mapping[str, Row]) -> set[str]:
    """Subjects that were erased before: of them nothing is taken in."""
    return {subject for subject, row in rows.items() if row.erased_at is not None}


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
    is_moved: bool = False
    """The batch changed who belongs to this person."""

    @property
    def is_touched(self) -> bool:
        """Whether the batch may have changed anything of them."""
        return self.is_moved or bool(self.facts)

    @property
    def is_blank(self) -> bool:
        """Whether nothing is known but that somebody named the subject."""
        return self.profile.first_seen is None and len(self.members) == 1


class People:
    """The persons of one batch, found by any of their subjects."""

    def __init__(self, rows: Mapping[str, Row]) -> None:
        self._by_subject: dict[str, Person] = {}
        self.known = set(rows)
        """Subjects that have a row: those of the batch, and their fellow members."""
        for row in rows.values():
            if row.merged_into is None and row.erased_at is None:
                members = list(row.members or (row.subject,))
                person = Person(row.subject, members, row.profile or Profile())
                self.known.update(members)
                for member in members:
                    self._by_subject[member] = person

    def __iter__(self) -> Iterator[Person]:
        return iter({id(person): person for person in self._by_subject.values()}.values())

    def touched(self) -> set[str]:
        """Every subject of the persons whom the batch may have changed."""
        return {member for person in self if person.is_touched for member in person.members}

    def of(self, subject: str) -> Person:
        """The person of a subject; a subject never seen before is a person of its own."""
        person = self._by_subject.get(subject)
        if person is None:
            person = self._by_subject[subject] = Person(subject, [subject], Profile())
        return person

    def regroup(
        self, persons: Iterable[Sequence[str]], erased: Collection[str] = frozenset()
    ) -> None:
        """Makes these the persons of their subjects; whoever is left over is alone."""
        groups = {member: tuple(members) for members in persons for member in members}
        if not (groups or erased):
            return
        affected = {
            member
            for subject in (*groups, *erased)
            if (person := self._by_subject.get(subject)) is not None
            for member in person.members
        }
        for member in affected - groups.keys() - set(erased):
            groups[member] = (member,)
        before = self._by_subject
        self._by_subject = {s: p for s, p in before.items() if s not in erased}
        for members in dict.fromkeys(groups.values()):
            olds = {id(p): p for m in members if (p := before.get(m)) is not None}
            if [old.members for old in olds.values()] != [list(members)]:
                self._place(members, list(olds.values()))

    def _place(self, members: Sequence[str], olds: Sequence[Person]) -> None:
        """A new person of these members, with a history to carry on if that is possible."""
        person = Person(members[0], list(members), Profile(), is_moved=True)
        lived = [old for old in olds if old.profile.first_seen is not None]
        # Two histories interleave, and one that is split comes apart: both are folded anew.
        person.is_stale = len(lived) > 1 or any(set(old.members) - set(members) for old in lived)
        if lived and not person.is_stale:
            person.profile = lived[0].profile
        for member in members:
            self._by_subject[member] = person

    def add(self, facts: Iterable[Fact]) -> None:
        """Hands each event to its person."""
        for fact in facts:
            subject = fact[0].envelope.subject
            if subject is not None:
                self.of(subject).facts.append(fact)


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

    Asked before the batch is folded. Of a person with several subjects all of them count: which
    of the subjects the profile knows it from, it does not say.
    """
    found = set()
    for record, data in person.facts:
        type_ = record.envelope.type
        if not type_.startswith(_NAMING_TYPES):
            continue
        kind = _NAMING[type_.partition(".")[0]]
        ref = getattr(data, kind, None)
        if ref is None:
            continue
        if len(person.members) > 1 or ref not in getattr(person.profile, REFERRING[kind]):
            found.add(Reference(kind, ref, record.envelope.subject or person.root))
    return found


def by_person(people: People, facts: Iterable[Fact]) -> dict[int, list[Fact]]:
    """Histories of several people apart, by `id` of the person."""
    histories: dict[int, list[Fact]] = defaultdict(list)
    for fact in facts:
        histories[id(people.of(fact[0].envelope.subject or ""))].append(fact)
    return histories
