"""Who is one person: whatever order it was heard in, and whatever was taken back."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from rapport_profile.domain.identity import (
    Edge,
    Limits,
    cut_of,
    edges_of,
    link_id,
    link_key,
    pair_key,
    partition,
    told_twice,
)
from rapport_runtime.outbox import derived_id

from tests.support.events import NOON, happened, new_subject
from tests.support.subjects import subject


def edges(*records: Record) -> list[Edge]:
    return [edge for record in records for edge in edges_of(record, decode_data(record.envelope))]


def signed_in(user: str, *others: tuple[str, str], minute: int = 0) -> Record:
    """A user names further identifiers: (kind, subject)."""
    return happened(
        "customer.identified",
        user,
        NOON + timedelta(minutes=minute),
        linked=",".join(other for _, other in others),
        identifiedby=",".join(["user_id", *(kind for kind, _ in others)]),
    )


def test_two_users_with_one_address_stay_two_people() -> None:
    ada, bob, address = sorted(new_subject() for _ in range(3))
    told = edges(
        signed_in(ada, ("email", address)),
        signed_in(bob, ("email", address), minute=1),
    )

    found = partition(told, Limits())

    assert found.persons == [tuple(sorted((ada, address))), (bob,)]
    assert found.refused == {link_key(bob, address): "user_id: 2 > 1"}


def test_the_earlier_user_keeps_the_address_though_heard_of_later() -> None:
    ada, bob, address = (new_subject() for _ in range(3))

    told = edges(
        signed_in(ada, ("email", address), minute=5),
        signed_in(bob, ("email", address), minute=1),
    )

    assert partition(told, Limits()).person_of(address) == tuple(sorted((bob, address)))


def test_a_merge_that_somebody_decided_passes_every_guard() -> None:
    ada, bob, address = (new_subject() for _ in range(3))
    told = edges(
        signed_in(ada, ("email", address)),
        signed_in(bob, ("email", address), minute=1),
        happened("customer.merged", ada, linked=bob, from_subject=bob),
    )

    found = partition(told, Limits())

    assert found.persons == [tuple(sorted((ada, bob, address)))]
    assert found.refused == {}


def test_whoever_was_merged_beyond_a_limit_still_gets_other_identifiers() -> None:
    ada, bob, phone = (new_subject() for _ in range(3))

    told = edges(
        happened("customer.merged", ada, from_subject=bob, identifiedby="user_id"),
        signed_in(ada, ("phone", phone)),
        signed_in(bob, ("phone", phone)),
    )

    assert len(partition(told, Limits()).persons) == 1


def test_an_alias_joins_two_user_ids() -> None:
    old, new = new_subject(), new_subject()
    alias = happened(
        "customer.aliased",
        new,
        linked=old,
        identifiedby="user_id,user_id",
        fields={"previous_subject": old},
    )

    told = edges(alias)

    assert partition(told, Limits()).persons == [tuple(sorted((old, new)))]
    assert told[0].explicit


def test_everything_that_a_merge_event_joins_is_cut_with_it() -> None:
    ada, bob, address = (new_subject() for _ in range(3))
    merge = happened("customer.merged", ada, linked=f"{bob},{address}", from_subject=bob)

    told = edges(merge)

    assert [edge.merge_key == merge.key for edge in told] == [True, False]
    assert {edge.order[2] for edge in told} == {merge.key}


def test_an_identifier_of_a_kind_never_told_counts_against_no_limit() -> None:
    ada, bob, address = (new_subject() for _ in range(3))
    told = edges(
        happened("customer.identified", ada, linked=address),
        happened("customer.identified", bob, linked=address),
    )

    assert len(partition(told, Limits()).persons) == 1


def test_an_unmerge_names_the_merge_by_id_and_source() -> None:
    ada, bob = new_subject(), new_subject()
    merge = happened("customer.merged", ada, event_id="m", source="/crm", from_subject=bob)
    own = happened("customer.unmerged", ada, source="/crm", merge_event_id="m")
    foreign = happened("customer.unmerged", ada, merge_event_id="m", merge_source="/crm")
    link = happened(
        "customer.unmerged",
        ada,
        fields={"merge_event_id": link_id(ada, bob), "merge_source": "/rapport/profile"},
    )

    cuts = [cut_of(record, decode_data(record.envelope)) for record in (own, foreign, link)]

    keys = [cut.merge_key for cut in cuts if cut]
    assert keys == [merge.key, merge.key, link_key(bob, ada)]


def test_the_id_of_a_link_is_derived_as_any_other() -> None:
    ada, bob = new_subject(), new_subject()

    assert link_id(ada, bob) == str(derived_id(pair_key(bob, ada), "linked"))


@given(st.permutations(range(4)))
def test_many_tellings_are_one_edge_with_the_first_of_each_time(order: Sequence[int]) -> None:
    ada, bob = subject(1), subject(2)
    tellings = [
        happened("page.viewed", ada, NOON, told=NOON + timedelta(5), linked=bob, event_id="0"),
        happened("page.viewed", bob, NOON + timedelta(1), linked=ada, event_id="1"),
        happened(
            "page.viewed", bob, NOON + timedelta(2), linked=ada, identifiedby="email,user_id",
            event_id="2",
        ),
        happened("page.viewed", ada, NOON + timedelta(3), linked=bob, event_id="3"),
    ]  # fmt: skip
    told = edges(*(tellings[place] for place in order))
    assert len({edge.merge_key for edge in told}) == 1

    edge = told[0]
    for other in told[1:]:
        edge = told_twice(edge, other)

    assert edge.order == tellings[0].order
    assert edge.known_at == NOON + timedelta(1)
    assert (edge.kind_a, edge.kind_b) == ("user_id", "email")


@pytest.mark.parametrize("length", [3, 50])
def test_a_chain_of_anonymous_ids_is_one_person(length: int) -> None:
    chain = [new_subject() for _ in range(length)]
    told = edges(
        *(
            happened("page.viewed", one, linked=other, identifiedby="anonymous_id,anonymous_id")
            for one, other in pairwise(chain)
        )
    )

    assert partition(told, Limits()).persons == [tuple(sorted(chain))]
