"""What part of a history a caller may ask for."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError
from rapport_profile.api.timeline_query import TimelineQuery, packed
from rapport_profile.cards import Place
from rapport_runtime.http.paging import CursorMalformedError, encode_cursor

from tests.support.events import NOON


def asked(**query: object) -> TimelineQuery:
    return TimelineQuery.model_validate(query)


@pytest.mark.parametrize(
    ("types", "patterns"),
    [
        ("ticket", [r"ticket.%"]),
        ("ticket.*", [r"ticket.%"]),
        ("ticket.created", [r"ticket.created.v%"]),
        ("order.placed.v1", ["order.placed.v1"]),
        ("call.leg_ended, page", [r"call.leg\_ended.v%", "page.%"]),
    ],
)
def test_types_may_be_named_in_short_or_in_full(types: str, patterns: list[str]) -> None:
    assert list(asked(types=types).selection().patterns) == patterns


@pytest.mark.parametrize(
    "query",
    [
        {"types": "%"},
        {"types": "ticket.created.v1; DROP"},
        {"channel": "fax"},
        {"from": "2026-03-01T00:00:00"},
        {"to": "0.5"},
        {"to": "9999-12-31T23:59:59-14:00"},
        {"limit": 201},
        {"type": "ticket"},
    ],
)
def test_what_cannot_be_answered_is_refused(query: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        asked(**query)


def test_a_plus_in_an_offset_may_have_become_a_space() -> None:
    selection = asked(**{"from": "2026-03-01T13:00:00 01:00"}).selection()

    assert selection.since == NOON


def test_a_cursor_goes_on_where_the_page_ended() -> None:
    place = Place(NOON, datetime(2026, 3, 2, tzinfo=UTC), b"k" * 16)
    cursor = encode_cursor(packed(place), asked(types="ticket").filters())

    assert asked(types="ticket", cursor=cursor).selection().before == place


def test_a_cursor_of_another_query_is_refused() -> None:
    cursor = encode_cursor(packed(Place(NOON, NOON, b"k")), asked(types="ticket").filters())

    with pytest.raises(CursorMalformedError):
        asked(types="order", cursor=cursor).selection()


@pytest.mark.parametrize(
    "position", [["x", "y", "z"], ["9999-12-31T23:59:59-14:00", "2026-03-01", "00"]]
)
def test_a_forged_cursor_is_refused(position: list[str | int]) -> None:
    cursor = encode_cursor(position, asked().filters())

    with pytest.raises(CursorMalformedError):
        asked(cursor=cursor).selection()
