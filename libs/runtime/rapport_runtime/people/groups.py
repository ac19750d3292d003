"""Which subjects are one person: pure grouping of the links that hold."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Pair: TypeAlias = tuple[str, str]
"""Two subjects that a merge made one person."""


@dataclass(frozen=True, slots=True)
class Person:
    """Subjects that are one human being, sorted; most people are one subject."""

    members: tuple[str, ...]
    erased: bool = False
    """One of them was: everybody who is linked with an erased subject was erased with it."""

    @property
    def key(self) -> str:
        """Names the person; another merge may give them a smaller one."""
        return self.members[0]


class Persons:
    """The people behind some subjects, at one moment."""

    __slots__ = ("_by_subject",)

    def __init__(self, by_subject: Mapping[str, Person]) -> None:
        self._by_subject = by_subject

    def of(self, subject: str) -> Person:
        """The person of a subject that was asked for, or of a member of such a person.

        Raises KeyError for anybody else.
        """
        return self._by_subject[subject]

    def __iter__(self) -> Iterator[Person]:
        """Each person once."""
        return iter(dict.fromkeys(self._by_subject.values()))

    @property
    def subjects(self) -> Collection[str]:
        """All members of all of them."""
        return self._by_subject.keys()


def gather(subjects: Iterable[str], links: Iterable[Pair], erased: Collection[str]) -> Persons:
    """The people that the subjects and the ends of the links belong to."""
    parent = {subject: subject for subject in subjects}
    pairs = list(links)
    if not pairs:
        # As almost always: everybody is one subject.
        return Persons({one: Person((one,), one in erased) for one in sorted(parent)})
    for a, b in pairs:
        low, high = sorted((_root(parent, a), _root(parent, b)))
        parent[high] = low
    members: dict[str, list[str]] = {}
    for subject in sorted(parent):
        members.setdefault(_root(parent, subject), []).append(subject)
    by_subject: dict[str, Person] = {}
    for group in members.values():
        person = Person(tuple(group), not set(group).isdisjoint(erased))
        by_subject.update(dict.fromkeys(group, person))
    return Persons(by_subject)


def changed(before: Persons, after: Persons) -> frozenset[str]:
    """Subjects who are one person with others than before."""
    return frozenset(
        subject
        for subject in after.subjects
        if subject not in before.subjects or before.of(subject).members != after.of(subject).members
    )


def _root(parent: dict[str, str], subject: str) -> str:
    while (above := parent.setdefault(subject, subject)) != subject:
        parent[subject] = subject = parent[above]
    return subject
