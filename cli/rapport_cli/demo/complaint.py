"""What is said of something that is not as it should be."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

_LONGEST: Final = 600


def differs(what: str, found: object, wanted: object) -> Iterator[str]:
    """One sentence, or none when both are the same."""
    if found != wanted:
        yield f"{what}: {_shown(found)}, and it should be {_shown(wanted)}."


def _shown(value: object) -> str:
    text = repr(dict(value) if isinstance(value, Counter) else value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
