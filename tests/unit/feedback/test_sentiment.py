"""How comments sound, and to whom nobody listens."""

import pytest
from rapport_feedback import sentiment
from rapport_feedback.sentiment import find_sentiment, sound


@pytest.mark.parametrize("language", ["en", "en-GB", "EN_us"])
def test_english_has_a_sound(language: str) -> None:
    terrible = sound("The service was terrible", language, find_sentiment())
    lovely = sound("I love it, wonderful!", language, find_sentiment())

    assert terrible is not None
    assert lovely is not None
    assert -100 <= terrible < 0 < lovely <= 100


@pytest.mark.parametrize("language", ["de", "de-AT", "fr", None, ""])
def test_other_languages_have_none_even_if_their_words_look_english(language: str | None) -> None:
    assert sound("Das war schrecklich", language, find_sentiment()) is None


def test_german_on_an_english_page_is_not_about_war() -> None:
    ear = find_sentiment()

    assert ear is not None
    assert ear.score("Das war schrecklich") < 0
    assert sound("Das war schrecklich", "en", ear) is None
    assert sound("The war was dreadful", "en", ear) is not None


def test_without_the_extra_nothing_has_a_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(sentiment, "import_module", missing)
    found = find_sentiment.__wrapped__()

    assert found is None
    assert sound("Terrible", "en", found) is None


def test_a_very_long_comment_is_listened_to_in_part() -> None:
    assert sound("terrible " * 2_000, "en", find_sentiment()) == -100
