"""What holds of any edges: nobody is torn apart by an order, and no guard is passed by a link."""

import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from rapport_profile.domain.identity import (
    Edge,
    Limits,
    partition,
)

from tests.support.events import NOON
from tests.support.subjects import subject

KINDS = ("user_id", "email", "phone", "anonymous_id", "crm_id")


@st.composite
def some_edges(draw: st.DrawFn) -> list[Edge]:
    """Edges among a few subjects of all kinds, so that guards and cuts matter."""
    number = draw(st.integers(2, 9))
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=number, max_size=number))
    pairs = st.tuples(st.integers(0, number - 1), st.integers(0, number - 1))
    found = []
    for place, (one, other) in enumerate(draw(st.lists(pairs, max_size=14))):
        if one == other:
            continue
        a, b = sorted((one, other))
        time = NOON + timedelta(minutes=draw(st.integers(0, 20)))
        explicit = draw(st.booleans()) and draw(st.booleans())
        key = bytes([place]) * 16
        found.append(
            Edge(
                key, subject(a), subject(b), kinds[a], kinds[b], (time, time, key), time, explicit,
                draw(st.none() | st.just(time + timedelta(minutes=5))),
            )
        )  # fmt: skip
    return found


@given(some_edges(), st.randoms(use_true_random=False))
def test_the_order_of_hearing_changes_nobody(told: list[Edge], chance: random.Random) -> None:
    shuffled = list(told)
    chance.shuffle(shuffled)

    assert partition(shuffled, Limits()) == partition(told, Limits())


@given(some_edges())
def test_everybody_is_in_one_person_whose_root_is_the_smallest(told: list[Edge]) -> None:
    found = partition(told, Limits())

    everybody = [member for person in found.persons for member in person]
    assert sorted(everybody) == sorted({end for edge in told for end in (edge.a, edge.b)})
    assert all(list(person) == sorted(person) for person in found.persons)
    assert found.persons == sorted(found.persons)


@given(some_edges())
def test_links_alone_give_nobody_more_identifiers_of_a_kind_than_allowed(told: list[Edge]) -> None:
    links = [edge for edge in told if not edge.explicit]
    limits = Limits(email=2, other=1)

    found = partition(links, limits)

    kinds = {edge.a: edge.kind_a for edge in links} | {edge.b: edge.kind_b for edge in links}
    for person in found.persons:
        users = [member for member in person if kinds[member] == "user_id"]
        emails = [member for member in person if kinds[member] == "email"]
        crm_ids = [member for member in person if kinds[member] == "crm_id"]
        assert (len(users), len(emails), len(crm_ids)) <= (1, 2, 1)
        assert len(emails) <= 2
        assert len(crm_ids) <= 1


@given(some_edges())
def test_an_edge_that_was_cut_is_as_good_as_none(told: list[Edge]) -> None:
    found = partition(told, Limits())

    standing = partition([edge for edge in told if edge.cut_at is None], Limits())
    several = [person for person in found.persons if len(person) > 1]
    assert several == [person for person in standing.persons if len(person) > 1]
    assert found.refused == standing.refused


@given(some_edges(), st.integers(0, 30))
def test_what_was_known_then_is_what_was_told_and_not_yet_cut(
    told: list[Edge], minute: int
) -> None:
    then = NOON + timedelta(minutes=minute)

    found = partition(told, Limits(), known_at=then)

    heard = [
        edge._replace(cut_at=None)
        for edge in told
        if edge.known_at <= then and not (edge.cut_at and edge.cut_at <= then)
    ]
    several = [person for person in found.persons if len(person) > 1]
    assert several == [p for p in partition(heard, Limits()).persons if len(p) > 1]
