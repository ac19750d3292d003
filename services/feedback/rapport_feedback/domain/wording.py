"""How words of comments are compared: without case, without accents, never inside a word."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_LETTERS: Final = re.compile(r"\w+")
_APOSTROPHES: Final = str.maketrans("\u2018\u2019\u02bc\uff07", "'" * 4)

_SMALL_WORDS: Final = """
    aber auch auf aus bitte das dass dem einen eine es für habe haben ich ihr immer ist kein keine
    leider mein mich mir nach nicht noch oder schon sehr sich sie sind und uns viel von warum wenn
    wie wir wurde zum zur
    avec bien c'est cette dans est je mais merci nous que qui sont sur très trop une vous
    como del ella esta este los muy nada pero por porque una
    che della molto perché sono
    dat een geen heb het ik maar mijn naar niet ook voor wat zeer zijn
    foi muito não pelo são uma
"""
_FOREIGN: Final = frozenset(_SMALL_WORDS.split())
"""Frequent small words of six other languages, none of which is English."""


class Word(NamedTuple):
    """A word of a text: as it is compared, and as it was written."""

    folded: str
    written: str


def fold(text: str) -> str:
    """The text as it is compared. `fold(fold(x)) == fold(x)`."""
    # Twice: folding a letter may bring out one that decomposes, and the other way round.
    return _fold_once(_fold_once(text))


def _fold_once(text: str) -> str:
    # Only letters and digits: a symbol that stands for letters (a trademark) is no word.
    apart = _LETTERS.sub(_taken_apart, _whole(text).casefold()).translate(_APOSTROPHES)
    return _unmarked(apart).casefold()


def _taken_apart(letters: re.Match[str]) -> str:
    return unicodedata.normalize("NFKD", letters[0])


def words_of(text: str) -> list[Word]:
    """The words in their order. An accent never ends a word, however it is encoded."""
    whole = _whole(text).translate(_APOSTROPHES)
    return [word for written in _WORD.findall(whole) for word in _parts(written)]


def _whole(text: str) -> str:
    """A mark that no letter takes in would end the word that it stands in."""
    return _unmarked(unicodedata.normalize("NFC", text))


def _unmarked(text: str) -> str:
    return "".join(letter for letter in text if not unicodedata.combining(letter))


def _parts(written: str) -> Iterator[Word]:
    """A letter that folds to more than one word (a fraction, a ligature) gives each of them."""
    for folded in _WORD.findall(fold(written)):
        yield Word(folded, written)


def is_foreign(words: list[Word]) -> bool:
    """Whether a text has words that tell it is not English, whatever the page was written in."""
    return any(word.written.casefold() in _FOREIGN for word in words)
