"""Words in several languages, and which of them somebody reads."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints
from rapport_events.languages import nearest

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
