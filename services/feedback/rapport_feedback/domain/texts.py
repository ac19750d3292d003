"""Words in several languages, and which of them somebody reads."""

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

Language = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$"),
    Field(description="BCP 47 tag", examples=["en", "pt-BR"]),
]

Texts = Annotated[
    dict[Language, Annotated[str, StringConstraints(min_length=1, max_length=2_000)]],
    Field(min_length=1, max_length=60, description="By language; the first given is the fallback"),
]


def say(texts: Mapping[str, str], language: str | None) -> str:
    """The words in this language, or in the one that comes nearest, or in the first given."""
    return texts[nearest(language, texts) or next(iter(texts))]


def nearest(language: str | None, spoken: Iterable[str]) -> str | None:
    """Of the languages spoken, the one that a reader of `language` is served best by.

    `de-AT` is served by `de-at`, then by `de`, then by any other German; never by another language.
    """
    if language is None:
        return None
    asked = language.replace("_", "-").lower()
    known = {one.lower(): one for one in spoken}
    while asked:
        if asked in known:
            return known[asked]
        near = next((known[tag] for tag in known if tag.startswith(f"{asked}-")), None)
        if near is not None:
            return near
        asked = asked.rpartition("-")[0]
    return None
