"""Which of several languages somebody is served best by."""

from collections.abc import Iterable


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
