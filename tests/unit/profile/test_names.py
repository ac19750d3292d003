"""How names are compared, whatever the hand that wrote them."""

import pytest
from rapport_profile.domain.names import are_begun, beginnings, names, words


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("Ada Lovelace", ["ada", "lovelace"]),
        ("  José-María\tÑúñez ", ["jose", "maria", "nunez"]),
        ("O'Neil", ["oneil"]),
        ("O\u2019Neil", ["oneil"]),
        ("Weiß", ["weiss"]),
        ("ＡＤＡ", ["ada"]),  # noqa: RUF001
        ("Øre & Søn A/S", ["øre", "søn", "a", "s"]),
        ("王芳", ["王芳"]),
        ("Παπαδόπουλος", ["παπαδοπουλοσ"]),
        ("!!! ...", []),
        ("a b c d e f g h i j", list("abcdefgh")),
    ],
)
def test_words_are_compared_without_case_accents_and_punctuation(
    written: str, compared: list[str]
) -> None:
    assert words(written) == compared


def test_a_word_is_found_by_its_first_two_to_twelve_characters() -> None:
    assert beginnings("ada") == ["ad", "ada"]
    assert beginnings("christophersen")[-1] == "christophers"
    assert beginnings("a") == []


def test_names_are_found_among_traits_and_nothing_else_is() -> None:
    told = {
        "first_name": "Ada", "lastName": "Lovelace", "company": {"name": "Acme", "id": 7},
        "plan": "pro", "email": "ada@example.com", "name": 5,
    }  # fmt: skip

    assert names(told) == ["Ada", "Lovelace", "Acme"]


def test_every_word_that_is_asked_for_must_begin_a_word_of_the_name() -> None:
    assert are_begun(["ada", "lovelace"], ["lo", "ad"])
    assert not are_begun(["ada", "lovelace"], ["ada", "byron"])
    assert not are_begun([], ["ada"])
