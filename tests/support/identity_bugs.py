"""Mistakes that people make with identity, planted so that the property test must see them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import pytest
from rapport_events.envelope import Record
from rapport_profile.domain import claims, fold
from rapport_profile.domain.claims import Claims, Held
from rapport_profile.domain.identity import Cut, Edge
from rapport_profile.domain.people import REFERRING, People, Person, Reference

from tests.support import identity_memory


def _hold_on_to_what_was_cut(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(Edge, "stands", lambda *_: True)


def _carry_on_a_state_that_was_split(plant: pytest.MonkeyPatch) -> None:
    place = People._place

    def careless(people: People, members: Sequence[str], olds: Sequence[Person]) -> None:
        place(people, members, olds)
        person = people.of(members[0])
        lived = [old for old in olds if old.profile.first_seen is not None]
        if person.is_stale and len(lived) == 1:
            person.is_stale, person.profile = False, lived[0].profile

    plant.setattr(People, "_place", careless)


def _leave_out_whom_the_batch_only_split_off(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(Person, "is_touched", property(lambda person: bool(person.facts)))


def _count_merges_as_events(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(fold, "SILENT", frozenset())


def _forget_an_unmerge_that_comes_first(plant: pytest.MonkeyPatch) -> None:
    def forgetful(
        held: Mapping[bytes, Held], said: Claims, _: Mapping[bytes, Cut]
    ) -> dict[bytes, Held]:
        return claims.retell(held, said, {})

    plant.setattr(identity_memory, "retell", forgetful)


def _cut_one_edge_of_a_merge_of_three(plant: pytest.MonkeyPatch) -> None:
    def narrow(edge: Edge, cuts: Mapping[bytes, Cut]) -> Cut | None:
        return cuts.get(edge.merge_key)

    plant.setattr(claims, "cut_for", narrow)
    plant.setattr(identity_memory, "cut_for", narrow)


def _refer_by_person(plant: pytest.MonkeyPatch) -> None:
    def known_to_anybody(person: Person) -> set[Reference]:
        found = set()
        for record, data in person.facts:
            kind = record.envelope.type.partition(".")[0]
            ref = getattr(data, kind, None) if kind in REFERRING else None
            if ref is not None and ref not in getattr(person.profile, REFERRING[kind]):
                found.add(Reference(kind, ref, _subject(record)))
        return found

    plant.setattr(identity_memory, "references", known_to_anybody)


def _subject(record: Record) -> str:
    return record.envelope.subject or ""


BUGS: Final[Mapping[str, Callable[[pytest.MonkeyPatch], None]]] = {
    bug.__name__.strip("_"): bug
    for bug in (
        _hold_on_to_what_was_cut,
        _carry_on_a_state_that_was_split,
        _leave_out_whom_the_batch_only_split_off,
        _count_merges_as_events,
        _forget_an_unmerge_that_comes_first,
        _cut_one_edge_of_a_merge_of_three,
        _refer_by_person,
    )
}
