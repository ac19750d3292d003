"""How a comment sounds: an extra (`rapport-feedback[sentiment]`), and for English only."""

from functools import cache
from importlib import import_module
from typing import Any, Final, Protocol

from rapport_feedback.domain.comments import primary
from rapport_feedback.domain.wording import is_foreign, words_of

_LONGEST: Final = 4_000
"""Characters that are listened to: its work grows faster than the text."""


class Sentiment(Protocol):
    """Somebody who can tell how a text sounds."""

    def speaks(self, text: str, language: str) -> bool:
        """Whether the text is in a language whose sound is known."""

    def score(self, text: str) -> int:
        """-100 (furious) to 100 (delighted)."""


class English:
    """VADER: a list of English words with how they sound, and rules for what stands around them."""

    def __init__(self, analyzer: Any) -> None:  # noqa: ANN401 - the package has no types
        self._analyzer = analyzer

    def speaks(self, text: str, language: str) -> bool:
        """An English page may be answered in German: "Das war schrecklich" is not about war."""
        return primary(language) == "en" and not is_foreign(words_of(text))

    def score(self, text: str) -> int:
        compound: float = self._analyzer.polarity_scores(text[:_LONGEST])["compound"]
        return round(compound * 100)


@cache
def find_sentiment() -> Sentiment | None:
    """None when the extra is not installed."""
    try:
        module = import_module("vaderSentiment.vaderSentiment")
    except ImportError:
        return None
    return English(module.SentimentIntensityAnalyzer())


def sound(text: str, language: str | None, sentiment: Sentiment | None) -> int | None:
    """None when nobody can tell: an unknown language is none that is known."""
    if sentiment is None or language is None or not sentiment.speaks(text, language):
        return None
    return sentiment.score(text)
