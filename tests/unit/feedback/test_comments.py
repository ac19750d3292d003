"""Comments, told as rules and words, then what they are about."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rapport_feedback.domain.comments import ANY, NOTHING, Reader, Rule, Rules
from rapport_feedback.domain.definition import About
from rapport_feedback.domain.wording import fold, words_of
from rapport_feedback.rulebook import shipped

_DELIVERY = Rule(
    id="delivery",
    about="service",
    words={"en": ["deliver*", "on time"], "de": ["liefer*", "Paket"]},
)
_DEFECT = Rule(id="defect", about="product", words={ANY: ["kaputt", "broken"]}, skip_negated=True)
_PRICE = Rule(id="price", words={ANY: ["café price", "teuer"]})
_STAFF = Rule(id="service", words={"en": ["staff"]})

_RULES = Rules(
    version=1,
    about=[_STAFF],
    topics=[_DELIVERY, _DEFECT, _PRICE],
    negations={"en": ["not", "nothing"], "de": ["nicht"]},
    negation_window=2,
)
READER = Reader.of(_RULES)
SHIPPED = Reader.of(shipped().rules(0))


def topics(text: str, language: str | None = None) -> set[str]:
    return set(READER.classify(text, language).topics)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("The DELIVERY was late", "en", {"delivery"}),
        ("delivered", None, {"delivery"}),
        ("It came on time.", "en", {"delivery"}),
        ("on, or off, time", "en", set()),
        ("on untimely terms", "en", set()),
        ("undelivered", "en", set()),
        ("Das paket kam", "de-AT", {"delivery"}),
        ("Das paket kam", "en", set()),
        ("Paketdienst", "de", set()),
        ("CAFE\u0301 PRICE", "en", {"price"}),
        ("cafe price", "en", {"price"}),
        ("ganz schön téuer!", "de", {"price"}),
        ("", "en", set()),
        ("🙂🙂", None, set()),
    ],
)
def test_a_comment_is_about_the_topics_whose_words_it_has(
    text: str, language: str | None, expected: set[str]
) -> None:
    assert topics(text, language) == expected


def test_a_word_that_is_said_not_to_be_so_does_not_count_where_the_rule_says_so() -> None:
    negated = "it was not very broken"
    far_away = "not what I had hoped for, broken"

    assert topics(negated, "en") == set()
    assert topics(far_away, "en") == {"defect"}
    assert topics("not delivered", "en") == {"delivery"}
    assert [match.negated for match in READER.matches(negated, "en")] == [True]


def test_negations_of_another_language_are_not_heard() -> None:
    assert topics("nicht kaputt", "de") == set()
    assert topics("nicht kaputt", "en") == {"defect"}


def test_it_says_which_words_were_met_as_they_were_written() -> None:
    (match,) = READER.matches("So TÉUER", "de")

    assert (match.kind, match.rule, match.phrase, match.words) == (
        "topic",
        "price",
        "teuer",
        "TÉUER",
    )


@pytest.mark.parametrize(
    ("text", "asked", "expected"),
    [
        ("the staff delivered it broken", None, "service"),
        ("delivered broken", "product", "product"),
        ("delivered broken", "service", "service"),
        ("delivered broken", "relationship", "product"),
        ("teuer", "service", None),
    ],
)
def test_most_votes_tell_the_about_and_a_draw_is_settled_by_what_was_asked(
    text: str, asked: About | None, expected: About | None
) -> None:
    assert READER.classify(text, "en", asked).about == expected


def test_the_same_word_many_times_is_one_vote() -> None:
    assert READER.classify("broken broken broken, staff delivered", "en").about == "service"


@pytest.mark.parametrize(
    ("text", "language", "topic"),
    [
        ("My parcel never arrived", "en", "delivery"),
        ("Die Lieferung kam zu spät", "de", "delivery"),
        ("Far too expensive", "en", "price"),
        ("Viel zu teuer", "de", "price"),
        ("It was broken", "en", "quality"),
        ("Das Gerät ist kaputt", "de", "quality"),
        ("The agent was rude", "en", "agent"),
        ("Der Mitarbeiter war unhöflich", "de", "agent"),
        ("Forty minutes on hold", "en", "waiting"),
        ("Ewig in der Warteschleife", "de", "waiting"),
        ("I cannot log in", "en", "website"),
        ("Die Webseite ist unübersichtlich", "de", "website"),
        ("I want my money back", "en", "refund"),
        ("Ich warte auf die Rückerstattung", "de", "refund"),
    ],
)
def test_the_rules_that_come_along_know_what_customers_usually_write(
    text: str, language: str, topic: str
) -> None:
    assert topic in SHIPPED.classify(text, language).topics


_TEXTS = st.text(max_size=200) | st.lists(
    st.sampled_from(
        ["the", "parcel", "not", "broken,", "on", "time", "TEUER", "½", "ﬁne", "İ", "ß"]
    ),
    max_size=12,
).map(" ".join)


@example("0\u094d0")
@example("phone\u2122 \u2120")
@given(_TEXTS)
def test_case_and_accents_change_nothing(text: str) -> None:
    read = READER.classify(text).topics
    decomposed = unicodedata.normalize("NFD", text)

    assert READER.classify(decomposed).topics == read
    assert READER.classify(unicodedata.normalize("NFC", text)).topics == read
    assert fold(fold(text)) == fold(text)
    assert [word.folded for word in words_of(fold(text))] == [w.folded for w in words_of(text)]


@given(_TEXTS, st.sampled_from(["de", "en", None]))
def test_the_same_comment_says_the_same_again(text: str, language: str | None) -> None:
    assert READER.classify(text, language) == READER.classify(text, language)


@given(
    st.sampled_from(["broken", "kaputt", "Paket", "staff"]),
    st.text("abcdefgh", min_size=1, max_size=4),
    st.text("abcdefgh", min_size=1, max_size=4),
)
def test_a_word_inside_another_is_not_that_word(word: str, before: str, after: str) -> None:
    assert READER.classify(f"{before}{word}") == NOTHING
    assert READER.classify(f"{word}{after}") == NOTHING
    assert READER.classify(f"{before} {word} {after}") != NOTHING


@given(st.text(max_size=300))
def test_every_match_is_in_the_comment(text: str) -> None:
    for match in SHIPPED.matches(text, None):
        assert all(word in unicodedata.normalize("NFC", text) for word in match.words.split())
