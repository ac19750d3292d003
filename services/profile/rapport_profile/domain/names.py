"""What counts as a name, and its beginnings, by which people are found."""

from collections.abc import Iterable, Mapping
from typing import Final
from unicodedata import category, normalize

NAMES: Final = ("name", "first_name", "firstName", "last_name", "lastName", "company")
"""Traits that are names; `company` may be an object with a `name`, as in the Segment spec."""

SHORTEST: Final = 2
LONGEST: Final = 12
"""Characters of a beginning that is indexed: what is longer is found by its first 12."""

_MOST_WORDS: Final = 8
_MOST_CHARACTERS: Final = 256
_APOSTROPHES: Final = dict.fromkeys((0x27, 0x60, 0xB4, 0x02BC, 0x2018, 0x2019))
"""O'Neil is written ONeil, too."""


def names(told: Mapping[str, object]) -> list[str]:
    """The names among traits."""
    found = []
    for trait in NAMES:
        value = told.get(trait)
        if isinstance(value, Mapping):
            value = value.get("name")
        if isinstance(value, str):
            found.append(value)
    return found


def words(text: str) -> list[str]:
    """The words of a name, as they are compared: without case, accents and punctuation."""
    written = text[:_MOST_CHARACTERS].translate(_APOSTROPHES)
    plain = normalize("NFKD", normalize("NFKD", written).casefold())
    kept = (char if category(char)[0] in "LN" else " " for char in plain if category(char) != "Mn")
    return "".join(kept).split()[:_MOST_WORDS]


def beginnings(word: str) -> list[str]:
    """What a word is found by."""
    return [word[:length] for length in range(SHORTEST, min(len(word), LONGEST) + 1)]


def are_begun(found: Iterable[str], asked: Iterable[str]) -> bool:
    """Whether each word that is asked for begins a word that was found."""
    known = list(found)
    return all(any(word.startswith(one) for word in known) for one in asked)
