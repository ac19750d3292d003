"""Ids that repeat, and an order that failures cannot change."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st
from rapport_runtime.outbox import derived_id, waves
from rapport_runtime.outbox_rows import derived_text


def test_the_same_rule_says_the_same_about_an_event_under_the_same_id() -> None:
    cause, other = b"a" * 16, b"b" * 16

    assert derived_id(cause, "stage") == derived_id(cause, "stage")
    assert (
        len({derived_id(cause, "stage"), derived_id(cause, "score"), derived_id(other, "stage")})
        == 3
    )


@given(st.binary(min_size=16, max_size=16), st.text(st.characters(exclude_categories=["Cs"])))
def test_an_id_is_a_name_based_uuid(cause: bytes, rule: str) -> None:
    assert derived_id(cause, rule) == uuid5(UUID(bytes=cause), rule)
    assert derived_text(cause, rule) == str(uuid5(UUID(bytes=cause), rule))


@given(st.lists(st.integers(0, 5)))
def test_two_events_of_one_customer_never_travel_together(customers: list[int]) -> None:
    rows = list(enumerate(customers))

    travelling = waves(rows, key=lambda row: row[1])

    assert sorted(row for wave in travelling for row in wave) == rows
    assert all(len({who for _, who in wave}) == len(wave) for wave in travelling)
    for customer in set(customers):
        turns = [row for wave in travelling for row in wave if row[1] == customer]
        assert turns == sorted(turns)
