"""The fixed words of pages, and which languages somebody is served in."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

import yaml
from rapport_events.languages import nearest

_MOST_WISHES: Final = 10
_LONGEST_TAG: Final = 35

Words = Mapping[str, str]


@cache
def load_words(package: str, language: str) -> Words:
    """All fixed words of a package's pages, from its folder `words`."""
    text = files(package).joinpath("words", f"{language}.yaml").read_text("utf-8")
    words: Words = yaml.safe_load(text)
    return words


def spoken(wishes: Iterable[str | None], languages: Sequence[str]) -> str:
    """The first wish that can be met; the first of the languages when none can."""
    found = (nearest(one, languages) for one in wishes)
    return next((one for one in found if one is not None), languages[0])


def wishes_of(asked: str | None, known: str | None, accepted: str | None) -> list[str | None]:
    """What somebody would like to read, the first wish first.

    `asked`: in the address; `known`: of the person; `accepted`: the browser's header.
    """
    clicked = asked if asked is not None and len(asked) <= _LONGEST_TAG else None
    return [clicked, known, *_accepted(accepted or "")]


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
