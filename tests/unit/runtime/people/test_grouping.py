"""Who is one person with whom, whatever order it is told in."""

from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapport_events.envelope import Record
from rapport_events.topics import INTERACTIONS
from rapport_runtime.people import Person
from rapport_runtime.people.groups import Persons, changed, gather
from rapport_runtime.people.said import Link, Said, listen

from tests.support.peoples import erased, merged, unmerged

ADA, BEN, CAY, DOT = EVERYBODY = tuple(str(UUID(int=number)) for number in range(1, 5))


def persons(said: Said) -> Persons:
    pairs = [link.pair for link in said.links.values() if link.pair and link.holds]
    return gather(EVERYBODY, pairs, said.erased)


def told(*records: Record) -> set[Person]:
    return set(persons(listen(records)))


def test_people_are_alone_until_they_are_merged() -> None:
    assert told() == {Person((one,)) for one in EVERYBODY}


def test_a_person_has_the_smallest_subject_as_key() -> None:
    people = persons(listen([merged(CAY, BEN), merged(DOT, CAY)]))

    assert people.of(DOT).members == (BEN, CAY, DOT)
    assert people.of(DOT).key == BEN


def test_an_unmerge_takes_back_that_merge_alone() -> None:
    first, second = merged(ADA, BEN), merged(ADA, BEN)

    assert Person((ADA, BEN)) in told(first, second, unmerged(first))
    assert Person((ADA,)) in told(first, second, unmerged(first), unmerged(second))


def test_an_unmerge_that_comes_before_its_merge_is_remembered() -> None:
    merge = merged(ADA, BEN)

    assert Person((ADA,)) in told(unmerged(merge), merge)


def test_everybody_who_is_linked_with_an_erased_subject_is_erased() -> None:
    people = persons(listen([erased(BEN), merged(ADA, BEN)]))

    assert people.of(ADA).erased
    assert not people.of(CAY).erased


def test_what_a_publisher_says_of_merges_does_not_count() -> None:
    said = msgspec.structs.replace(merged(ADA, BEN), topic=INTERACTIONS.name)

    assert told(said) == told()


def test_only_those_whose_person_is_another_one_have_changed() -> None:
    merge, other = merged(ADA, BEN), merged(CAY, DOT)
    before, after = persons(listen([merge, other])), persons(listen([other]))

    assert changed(before, after) == {ADA, BEN}


_pairs = st.tuples(st.sampled_from(EVERYBODY), st.sampled_from(EVERYBODY))


@st.composite
def _scripts(draw: st.DrawFn) -> tuple[list[Record], list[Record]]:
    """The same facts twice: as they happened, and shuffled with repeats."""
    merges = [
        merged(a, b, f"m-{number}")
        for number, (a, b) in enumerate(draw(st.lists(_pairs, max_size=6)))
    ]
    cuts = [unmerged(merge) for merge in merges if draw(st.booleans())]
    gone = [erased(one) for one in draw(st.lists(st.sampled_from(EVERYBODY), max_size=2))]
    facts = [*merges, *cuts, *gone]
    repeats = draw(st.lists(st.sampled_from(facts), max_size=4)) if facts else []
    return facts, draw(st.permutations([*facts, *repeats]))


def _plainly(facts: Sequence[Record]) -> Said:
    """By definition: all merges, but for those that some unmerge names."""
    cut = {record.envelope.id.removeprefix("un") for record in facts if _is_unmerge(record)}
    return listen([fact for fact in facts if not (_is_unmerge(fact) or fact.envelope.id in cut)])


def _is_unmerge(record: Record) -> bool:
    return record.envelope.type == "customer.unmerged.v1"


Listen = Callable[[Sequence[Record]], Said]


def _differs(listen: Listen) -> bool:
    """Whether some order of the same facts makes other people."""

    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(_scripts())
    def told_in_any_order(scripts: tuple[list[Record], list[Record]]) -> None:
        in_order, shuffled = scripts
        assert set(persons(listen(shuffled))) == set(persons(_plainly(in_order)))

    try:
        told_in_any_order()
    except AssertionError:
        return True
    return False


def test_the_same_facts_in_any_order_make_the_same_people() -> None:
    assert not _differs(listen)


def _forgets_early_unmerges(records: Sequence[Record]) -> Said:
    said = Said()
    for record in records:
        known = dict(said.links)
        said.add(record)
        said.links = {key: link for key, link in said.links.items() if link.pair or key in known}
    return said


def _merges_again_after_an_unmerge(records: Sequence[Record]) -> Said:
    said = Said()
    for record in records:
        if record.key in said.links:
            said.links[record.key] = Link()
        said.add(record)
    return said


def _takes_the_unmerges_own_source(records: Sequence[Record]) -> Said:
    return listen([_without_merge_source(record) for record in records])


def _without_merge_source(record: Record) -> Record:
    data = {**msgspec.json.decode(record.envelope.data), "merge_source": None}
    envelope = msgspec.structs.replace(record.envelope, data=msgspec.Raw(msgspec.json.encode(data)))
    return msgspec.structs.replace(record, envelope=envelope)


def _revives_whom_it_erased(records: Sequence[Record]) -> Said:
    said = Said()
    for record in records:
        said.add(record)
        if record.envelope.type == "customer.merged.v1" and record.envelope.subject:
            said.erased.pop(record.envelope.subject, None)
    return said


@pytest.mark.parametrize(
    "bug",
    [
        _forgets_early_unmerges,
        _merges_again_after_an_unmerge,
        _takes_the_unmerges_own_source,
        _revives_whom_it_erased,
    ],
)
def test_a_planted_mistake_is_seen(bug: Listen) -> None:
    assert _differs(bug)
