"""Ids that repeat, and an order that failures cannot change."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapport_runtime.contract import DataError, Derived
from rapport_runtime.outbox import derived_id, waves
from rapport_runtime.outbox_rows import MOST_BYTES, copied, derived_text


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


def test_a_fact_that_no_broker_takes_never_gets_in_line() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    small, large = (
        Derived(b"c" * 16, "rule", "topic", "/test", "note.added.v1", now, {"text": "x" * size})
        for size in (MOST_BYTES - 1_000, MOST_BYTES)
    )

    assert len(copied([small], now)) > MOST_BYTES - 1_000
    with pytest.raises(DataError, match=r"too_large: note\.added\.v1"):
        copied([small, large], now)
