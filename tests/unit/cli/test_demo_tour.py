"""What the demo prints."""

import re
from typing import Any

from rapport_cli.demo.tour import refusals, story

CARD: dict[str, Any] = {
    "time": "2026-11-11T09:07:00.000Z",
    "channel": "chat",
    "title": "Message in ticket T-1",
    "text": "Still nothing.",
}


def test_a_story_begins_with_what_happened_first() -> None:
    later = {**CARD, "time": "2026-11-12T10:00:00.000Z", "title": "Ticket T-1 resolved"}

    lines = story([later, CARD])

    assert [line[2:12] for line in lines] == ["2026-11-11", "2026-11-12"]


def test_a_line_has_the_words_that_somebody_wrote() -> None:
    assert story([CARD])[0].endswith("Message in ticket T-1  “Still nothing.”")


def test_words_that_the_title_has_already_are_not_said_twice() -> None:
    promise = {**CARD, "title": "We promised: a call", "text": "a call"}

    assert story([promise])[0].endswith("We promised: a call")


def test_a_card_without_words_or_channel_is_a_line_all_the_same() -> None:
    (line,) = story([{**CARD, "channel": None, "text": None}])

    assert re.fullmatch(r"  2026-11-11 09:07 +Message in ticket T-1", line)


def test_a_refusal_names_code_place_and_reason() -> None:
    item = {"code": "missing", "pointer": "/data/ticket", "detail": "is required"}

    assert refusals([item]) == ["  missing  /data/ticket: is required"]
