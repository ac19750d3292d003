"""The fixed words of the page, and which languages somebody is served in."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from markupsafe import Markup
from rapport_events.languages import nearest
from rapport_runtime.pages import Words, load_words, spoken

from rapport_feedback.domain.definition import Definition
from rapport_feedback.domain.texts import say

FALLBACK: Final = "en"

LANGUAGES: Final = ("en", "de", "es", "fr", "nl")

_IN_ANOTHER: Final = Markup(' lang="{}" dir="auto"')


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


def words_in(language: str) -> Words:
    """All fixed words in one of LANGUAGES."""
    return load_words(__package__, language)


def choose(definition: Definition | None, wishes: Sequence[str | None]) -> Tongue:
    """The first wish that the survey can meet; the fixed words follow the survey's texts."""
    if definition is None:
        return Tongue(spoken(wishes, LANGUAGES), FALLBACK)
    survey = definition.language_for(*wishes)
    return Tongue(spoken((survey, *wishes), LANGUAGES), survey)
