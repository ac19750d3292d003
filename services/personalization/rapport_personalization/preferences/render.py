"""The preference page in its states."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from markupsafe import Markup
from rapport_runtime.pages import Site, Words, load_words

from rapport_personalization.domain.preferences import (
    CHANNEL,
    LANGUAGE,
    MARKETING,
    QUIET,
    YES,
    ZONE,
    Choices,
    allow,
)
from rapport_personalization.preferences.zones import ZONES

LANGUAGES: Final = ("en", "de")

_SITE: Final = Site(__package__)
_PAGE: Final = _SITE.template("preferences.html")
_MESSAGE: Final = _SITE.template("message.html")

respond: Final = _SITE.respond


class Frame(NamedTuple):
    """What surrounds every state of the page."""

    language: str
    brand: str

    @property
    def words(self) -> Words:
        return load_words(__package__, self.language)


class Option(NamedTuple):
    """One of those that can be chosen. `tag`: the language of its text, where it is another."""

    value: str
    text: str
    tag: str | None = None


class Line(NamedTuple):
    """A paragraph of a message."""

    text: str
    attributes: Markup = Markup()


def form(
    frame: Frame,
    channels: Sequence[str],
    before: Choices,
    chosen: Choices,
    spoken: Sequence[str],
    *,
    flaws: Sequence[str] = (),
    is_saved: bool = False,
    is_away: bool = False,
) -> str:
    """`before`: as things are; `chosen`: as the fields show them. `spoken`: languages of ours."""
    words = frame.words
    shown: dict[str, Any] = {
        "channels": channels,
        "before": before,
        "chosen": {**before, **chosen},
        "flaws": flaws,
        "is_saved": is_saved,
        "is_away": is_away,
        "languages": [_language(one) for one in _with(before[LANGUAGE], spoken)],
        "ways": _ways(channels, before, words),
        "zones": [Option(one, one.replace("_", " ")) for one in _with(before[ZONE], ZONES)],
        "quiet": {**before, **chosen}[QUIET].partition("-")[::2],
        "says_stop": any(before[name] == YES for name in before if name.startswith(_MARKETING)),
        "others": [_language(one) for one in LANGUAGES if one != frame.language],
    }
    return _PAGE.render(page=frame, words=words, **shown)


def message(frame: Frame, state: str) -> str:
    """`state`: unsubscribed, expired, erased, unknown, away."""
    return _said(frame, f"{state}_title", f"{state}_text")


def notice(frame: Frame, error: str) -> str:
    """What went wrong with a form that cannot be shown again."""
    return _said(frame, "error_title", error)


def _said(frame: Frame, heading: str, line: str) -> str:
    words = frame.words
    return _MESSAGE.render(
        page=frame, words=words, heading=words[heading], lines=[Line(words[line])]
    )


_MARKETING: Final = allow(MARKETING, "")


def _language(tag: str) -> Option:
    known = tag.partition("-")[0].lower()
    if known in LANGUAGES:
        return Option(tag, load_words(__package__, known)["language"], known)
    return Option(tag, tag)


def _ways(channels: Sequence[str], before: Choices, words: Words) -> list[Option]:
    """Who has said where they like it best can say otherwise, and not that they said nothing."""
    wished = before[CHANNEL]
    if wished == "":
        return [Option("", words["no_preference"]), *(Option(one, words[one]) for one in channels)]
    return [Option(one, words.get(one, one)) for one in _with(wished, channels)]


def _with(known: str, offered: Sequence[str]) -> list[str]:
    return [*offered] if known in offered else [known, *offered]
