"""The words of the survey page, whom it serves in which language, and what a browser may send."""

import re
from string import Formatter
from typing import Any, get_args
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapport_feedback.domain.definition import Definition
from rapport_feedback.domain.given import Answers, Flaw, FlawCode
from rapport_feedback.pages import render
from rapport_feedback.pages.form import fill, preselected
from rapport_feedback.pages.render import Frame
from rapport_feedback.pages.words import LANGUAGES, choose, words_in
from rapport_runtime.pages import UnreadableFormError, wishes_of

ENGLISH = words_in("en")
STATES = ("thanks", "answered", "expired", "erased", "unknown", "away")


def survey(**changes: Any) -> Definition:  # noqa: ANN401 - any JSON
    return Definition.model_validate(
        {
            "id": "after_case",
            "kind": "nps",
            "title": {"en": "Your case", "de": "Ihr Fall", "pt-BR": "Seu caso"},
            "questions": [
                {
                    "id": "score",
                    "type": "score",
                    "text": {"en": "Would you?", "de": "Würden Sie?"},
                    "required": True,
                },
                {"id": "comment", "type": "text", "text": {"en": "Why?", "de": "Warum?"}},
            ],
            **changes,
        }
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word_with_the_same_gaps(language: str) -> None:
    words = words_in(language)

    assert list(words) == list(ENGLISH)
    for name, word in words.items():
        assert gaps(word) == gaps(ENGLISH[name]), name
        assert word == word.strip()
        assert word


@pytest.mark.parametrize("language", set(LANGUAGES) - {"en"})
def test_no_sentence_was_left_untranslated(language: str) -> None:
    words = words_in(language)

    assert [name for name in words if " " in words[name] and words[name] == ENGLISH[name]] == []


def test_every_mistake_and_every_state_has_its_words() -> None:
    wanted = {f"error_{code}" for code in get_args(FlawCode)} - {"error_not_asked"}
    wanted |= {f"{state}_{part}" for state in STATES for part in ("title", "text")}

    assert wanted <= set(ENGLISH)


@pytest.mark.parametrize(
    ("wishes", "page", "texts"),
    [
        ((None, None, None), "en", "en"),
        (("de", "en", "fr"), "de", "de"),
        ((None, "de-AT", "en"), "de", "de"),
        ((None, None, "fr,de;q=0.5"), "de", "de"),
        (("pt", None, "nl"), "nl", "pt-BR"),
        (("x" * 1_000, None, None), "en", "en"),
        ((None, None, "de;q=abc, en;q=0.1"), "en", "en"),
    ],
)
def test_somebody_is_served_in_a_language_they_read(
    wishes: tuple[str | None, str | None, str | None], page: str, texts: str
) -> None:
    tongue = choose(survey(), wishes_of(*wishes))

    assert (tongue.page, tongue.survey) == (page, texts)


def test_without_a_survey_the_page_speaks_what_the_browser_asks_for() -> None:
    assert choose(None, wishes_of(None, None, "es-MX")).page == "es"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", STATES)
def test_every_state_is_a_whole_page_in_every_language(state: str, language: str) -> None:
    frame = Frame(choose(None, [language]), "Müller & Söhne <b>")

    html = render.message(frame, state)

    assert html.startswith(f'<!doctype html>\n<html lang="{language}"')
    assert "Müller &amp; Söhne &lt;b&gt;" in html
    assert words_in(language)[f"{state}_title"].split(" ")[0] in html
    assert html.rstrip().endswith("</html>")


def test_a_label_belongs_to_every_field() -> None:
    html = render.form(Frame(choose(survey(), ["en"]), "Rapport"), survey(), {})

    for field in re.findall(r"<(?:input|textarea)[^>]*>", html):
        name = re.search(r'id="([^"]+)"', field)
        wrapped = f"<label>{field}" in html
        assert wrapped or (name and f'for="{name[1]}"' in html), field


def test_a_long_scale_is_a_field_for_a_number() -> None:
    long = survey(
        kind="custom",
        questions=[
            {
                "id": "percent",
                "type": "score",
                "scale": [0, 100],
                "text": {"en": "How much?"},
                "high": {"en": "all"},
            }
        ],
    )

    html = render.form(Frame(choose(long, ["en"]), "Rapport"), long, {"percent": ["7"]})

    assert 'type="number"' in html
    assert 'min="0" max="100" step="1" value="7"' in html
    assert "100 = all" in html


def test_a_page_with_everything_wrong_with_it_is_still_light() -> None:
    questions = [
        {"id": f"q{number}", "type": "score", "scale": [0, 10], "text": {"en": "Would you? " * 5}}
        for number in range(10)
    ]
    long = survey(kind="custom", questions=questions)
    flaws = tuple(Flaw("required", f"q{number}") for number in range(10))

    html = render.form(Frame(choose(long, ["en"]), "Rapport"), long, {}, flaws)

    assert len(html.encode()) <= 30_000


def test_what_cannot_be_read_is_not_said_to_be_missing() -> None:
    filled = fill(survey(), b"q-score=nine")

    assert filled.flaws == (Flaw("not_on_scale", "score", (0, 10)),)


def test_only_whole_numbers_are_scores() -> None:
    for text in ("9.0", "1e1", "0x9", "1_0", "\N{ARABIC-INDIC DIGIT NINE}", "9" * 30, "--9"):
        body = urlencode({"q-score": text}).encode()
        assert fill(survey(), body).answers is None, text
    assert fill(survey(), b"q-score=+9&q-comment=").answers == Answers(score=9)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_answer_a_mistake_or_unreadable(body: bytes) -> None:
    try:
        filled = fill(survey(), body)
    except UnreadableFormError:
        return
    assert (filled.answers is None) == bool(filled.flaws)


@given(st.text(max_size=100))
def test_what_was_typed_comes_back_as_it_was(text: str) -> None:
    body = urlencode({"q-comment": text}, errors="surrogatepass").encode()
    try:
        filled = fill(survey(), body)
    except UnreadableFormError:
        assert any("\ud800" <= char <= "\udfff" for char in text)
        return
    assert filled.typed.get("comment", [""]) == [text]


@given(st.text(max_size=40))
def test_any_score_in_the_address_chooses_one_of_the_scale_or_none(score: str) -> None:
    chosen = preselected(survey(), score)

    assert chosen is None or chosen in range(11)


def gaps(word: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(word) if name}
