"""The persons of a batch, before and after: their facts, and the rows by which they are counted."""

from collections.abc import Iterable, Iterator, Set
from typing import NamedTuple

from rapport_metrics.domain.entities import Ref
from rapport_metrics.domain.facts import Fact
from rapport_metrics.domain.outcome import PersonRow
from rapport_metrics.domain.own import Options, person_facts
from rapport_metrics.domain.totals import Totals
from rapport_metrics.domain.working import Working

Members = tuple[str, ...]


class _Person(NamedTuple):
    facts: list[Fact]
    rows: dict[str, PersonRow]


class Crowd:
    """Looked at before a batch is taken in, and counted afterwards."""

    def __init__(self, working: Working, options: Options) -> None:
        self._working = working
        self._options = options
        self._before = {members: self._look_at(members) for members in working.persons()}

    def count(self, totals: Totals, changed: Iterable[Ref]) -> dict[str, PersonRow]:
        """Replaces the facts of those who are others now; their rows that differ."""
        after = self._others({ref.id for ref in changed if ref.kind == "subject"})
        rows: dict[str, PersonRow] = {}
        known: dict[str, PersonRow] = {}
        for members, was in self._before.items():
            known |= was.rows
            totals.replace(was.facts, after[members].facts if members in after else [], members)
        for members, now in after.items():
            rows |= now.rows
            if members not in self._before:
                totals.replace([], now.facts, members)
        return {
            name: row
            for name, row in rows.items()
            if known.get(name, PersonRow(name, None, None)) != row
        }

    def _others(self, changed: Set[str]) -> dict[Members, _Person]:
        """All persons as they are now; who was so before is not looked at again."""
        return {
            members: self._before[members]
            if members in self._before and changed.isdisjoint(members)
            else self._look_at(members)
            for members in self._working.persons()
        }

    def _look_at(self, members: Members) -> _Person:
        return _Person(list(self._facts(members)), dict(self._rows(members)))

    def _facts(self, members: Members) -> Iterator[Fact]:
        subjects = [self._working.subject(name) for name in members]
        if self._options.purge_erased:
            subjects = [one for one in subjects if one.erased is None]
        yield from person_facts(subjects, self._options)
        for other in self._options.beside:
            if "subject" in other.kinds:
                yield from other.named(person_facts(subjects, other.options))

    def _rows(self, members: Members) -> Iterator[tuple[str, PersonRow]]:
        for name in members:
            subject = self._working.subject(name)
            created = None if subject.created is None else subject.created.at
            yield name, PersonRow(members[0], created, subject.erased)
