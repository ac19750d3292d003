"""The fixed words of the page, and which languages somebody is served in."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

import yaml
from markupsafe import Markup

from rapport_feedback.domain.definition import Definition
from rapport_feedback.domain.texts import nearest, say

FALLBACK: Final = "en"

LANGUAGES: Final = ("en", "de", "es", "fr", "nl")

_MOST_WISHES: Final = 10
_LONGEST_TAG: Final = 35

_IN_ANOTHER: Final = Markup(' lang="{}" dir="auto"')

Words = Mapping[str, str]


class Said(NamedTuple):
    """A text of a definition; with its language, where that is not the page's."""

    text: str
    attributes: Markup = Markup()
    """For the element around it."""


class Tongue(NamedTuple):
    """The languages of one page: of its fixed words, and of the survey's own texts."""

    page: str
    survey: str

    @property
    def words(self) -> Words:
        return words_in(self.page)

    def say(self, texts: Mapping[str, str]) -> Said:
        """The text in the language that fits best."""
        text, found = say(texts, self.survey), nearest(self.survey, texts) or next(iter(texts))
        if found.lower() == self.page:
            return Said(text)
        return Said(text, _IN_ANOTHER.format(found))


@cache
def words_in(language: str) -> Words:
    """All fixed words in one of LANGUAGES."""
    text = files(__package__).joinpath("words", f"{language}.yaml").read_text("utf-8")
    words: Words = yaml.safe_load(text)
    return words


def choose(definition: Definition | None, wishes: Sequence[str | None]) -> Tongue:
    """The first wish that the survey can meet; the fixed words follow the survey's texts."""
    if definition is None:
        return Tongue(_fixed(wishes), FALLBACK)
    survey = definition.language_for(*wishes)
    return Tongue(_fixed((survey, *wishes)), survey)


def wishes_of(asked: str | None, known: str | None, accepted: str | None) -> list[str | None]:
    """What somebody would like to read, the first wish first.

    `asked`: in the address; `known`: of the invitation; `accepted`: the browser's header.
    """
    clicked = asked if asked is not None and len(asked) <= _LONGEST_TAG else None
    return [clicked, known, *_accepted(accepted or "")]


def _fixed(wishes: Sequence[str | None]) -> str:
    found = (nearest(one, LANGUAGES) for one in wishes)
    return next((one for one in found if one is not None), FALLBACK)


def _accepted(header: str) -> list[str]:
    """The languages of an Accept-Language header, by their weights."""
    weighed = []
    for part in header[:1_000].split(",")[:_MOST_WISHES]:
        tag, _, weight = part.partition(";")
        if tag.strip() not in {"", "*"} and len(tag) <= _LONGEST_TAG:
            weighed.append((_weight(weight), tag.strip()))
    return [tag for weight, tag in sorted(weighed, key=lambda one: -one[0]) if weight > 0]


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
