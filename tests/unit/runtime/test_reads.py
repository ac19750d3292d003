"""What lists and consistent reads have in common: tokens, cursors, waiting."""

import base64
from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapport_runtime.delivery import Placed, TooLarge
from rapport_runtime.http.consistency import (
    Consistency,
    ConsistencyTokenMalformedError,
    NotYetVisibleError,
    _wait_seconds,
    decode_token,
    encode_token,
    token_after,
)
from rapport_runtime.http.paging import (
    CursorMalformedError,
    decode_cursor,
    encode_cursor,
    next_link,
)
from rapport_runtime.pending import SPOOLED, Outcome
from starlette.requests import Request

POSITIONS = {("rapport.interactions.v1", 0): 12, ("rapport.interactions.v1", 7): 3}

positions = st.dictionaries(
    st.tuples(st.text("abc.", min_size=1, max_size=20), st.integers(0, 1_000)),
    st.integers(0, 2**63 - 1),
    max_size=8,
)


@given(positions)
def test_a_token_says_what_was_put_into_it(given_positions: Mapping[tuple[str, int], int]) -> None:
    assert decode_token(encode_token(given_positions)) == given_positions


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_no_text_crashes_the_reader_of_tokens(text: str) -> None:
    with suppress(ConsistencyTokenMalformedError):
        decode_token(text)


@pytest.mark.parametrize("document", ['{"t": {"-1": 1}}', '{"t": {"0": -1}}', '{"t": 1}', "[]"])
def test_a_token_of_impossible_positions_is_malformed(document: str) -> None:
    with pytest.raises(ConsistencyTokenMalformedError):
        decode_token(base64.urlsafe_b64encode(document.encode()).decode())


def test_a_token_covers_the_last_place_in_each_partition() -> None:
    outcomes: list[Outcome] = [
        Placed(0, 5),
        Placed(1, 9),
        TooLarge(2_000_000, 1_000_000),
        Placed(0, 6),
    ]

    token = token_after("t", outcomes)

    assert token is not None
    assert decode_token(token) == {("t", 0): 6, ("t", 1): 9}


@pytest.mark.parametrize("outcomes", [[], [Placed(0, 1), SPOOLED], [Placed(0, -1)]])
def test_there_is_no_token_for_events_whose_place_is_unknown(outcomes: list[Outcome]) -> None:
    assert token_after("t", outcomes) is None


async def test_a_read_waits_until_the_projection_has_passed() -> None:
    asked: list[tuple[Mapping[tuple[str, int], int], float]] = []

    async def reach(wanted: Mapping[tuple[str, int], int], seconds: float) -> None:
        asked.append((wanted, seconds))

    await Consistency(POSITIONS, 2.0).honour(reach)
    await Consistency(None, 2.0).honour(reach)

    assert asked == [(POSITIONS, 2.0)]


async def test_a_read_that_would_be_stale_says_how_far_the_projection_is() -> None:
    async def reach(*_: object) -> Mapping[tuple[str, int], int]:
        return {("t", 0): 4}

    with pytest.raises(NotYetVisibleError) as refusal:
        await Consistency(POSITIONS, 2.0).honour(reach)

    assert refusal.value.status_code == 425
    assert refusal.value.members == {"position": {"t": {"0": 4}}}


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 2.0),
        ("wait=5", 5.0),
        ("respond-async, wait=0", 0.0),
        ('return=minimal, Wait="7"; x=1', 7.0),
        ("wait=99999999999", 10.0),
        ("wait=-1", 2.0),
        ("wait=soon", 2.0),
        ("wait=\u0663", 2.0),
    ],
)
def test_how_long_a_reader_would_wait(prefer: str | None, seconds: float) -> None:
    assert _wait_seconds(prefer) == seconds


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20), max_size=4))
def test_a_cursor_leads_to_where_the_page_ended(position: list[str | int]) -> None:
    cursor = encode_cursor(position, "timeline?types=a")

    assert decode_cursor(cursor, "timeline?types=a", length=len(position)) == position


def test_a_cursor_of_another_query_is_refused() -> None:
    cursor = encode_cursor(["2026-01-01", 7], "timeline?types=a")

    with pytest.raises(CursorMalformedError):
        decode_cursor(cursor, "timeline?types=b", length=2)


@given(st.text(max_size=60))
def test_no_text_crashes_the_reader_of_cursors(text: str) -> None:
    with pytest.raises(CursorMalformedError):
        decode_cursor(text, "q", length=3)


def test_the_link_to_the_next_page_keeps_the_filters() -> None:
    request = Request(
        {
            "type": "http",
            "path": "/v1/list",
            "query_string": b"types=a&types=b%26c&cursor=old",
            "headers": [(b"host", b"h")],
            "scheme": "http",
            "server": ("h", 80),
        }
    )

    headers = next_link(request, "new")

    assert headers == {"link": '</v1/list?types=a&types=b%26c&cursor=new>; rel="next"'}
