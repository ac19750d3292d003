"""The id of a live event: what a client was told, and what of that still holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapport_profile.position import Found, LastEventIdMalformedError, Mark, Position

ADA, BOB = "0" * 8 + "-0000-4000-8000-" + "a" * 12, "0" * 8 + "-0000-4000-8000-" + "b" * 12

_NUMBERS = st.integers(0, 2**63 - 1)
_PLACES = st.tuples(st.integers(0, 2**15 - 1), st.integers(0, 2**31 - 1))
_MARKS = st.dictionaries(_PLACES, st.builds(Mark, _NUMBERS, _NUMBERS), max_size=4)


@given(st.dictionaries(st.uuids().map(str), _MARKS, max_size=20).map(Position))
def test_an_id_says_what_was_put_into_it(position: Position) -> None:
    text = position.encode()

    assert Position.decode(text) == position
    assert text.isascii()


@given(st.text(max_size=80))
def test_nonsense_is_an_error_of_the_caller(text: str) -> None:
    for given_id in (text, "1" + text):
        try:
            position = Position.decode(given_id)
        except LastEventIdMalformedError as error:
            assert error.status_code == 400  # noqa: PT017
        else:
            assert isinstance(position, Position)


def test_whoever_left_is_forgotten_and_whoever_joined_is_told_from_the_beginning() -> None:
    position = Position({ADA: {(0, 1): Mark(8, 3)}, BOB: {(0, 2): Mark(5, 1)}})

    kept = position.kept([BOB, "new"], [Found(BOB, 0, 2, below=1, total=4, end=9)])

    assert kept == Position({BOB: {(0, 2): Mark(5, 1)}})


@pytest.mark.parametrize("below", [2, 4])
def test_a_past_that_was_changed_is_told_from_the_beginning(below: int) -> None:
    position = Position({ADA: {(0, 1): Mark(8, 3)}})

    kept = position.kept([ADA], [Found(ADA, 0, 1, below=below, total=9, end=20)])

    assert kept == Position({})


def test_what_was_told_moves_only_its_own_place() -> None:
    position = Position({ADA: {(0, 1): Mark(8, 3), (1, 1): Mark(2, 2)}})

    after = position.told([ADA, BOB], [(ADA, (0, 1), 8), (ADA, (0, 1), 11), (BOB, (0, 2), 4)])

    assert after == Position(
        {ADA: {(0, 1): Mark(12, 5), (1, 1): Mark(2, 2)}, BOB: {(0, 2): Mark(5, 1)}}
    )
