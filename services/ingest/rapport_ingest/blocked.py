"""Identifiers that an operator knows to name nobody: a till's phone, a test team's mailboxes. Pure.

One such value in a thousand events would make a thousand customers one person.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from unicodedata import normalize

from rapport_privacy.identifiers import EMAIL, PHONE, InvalidIdentifierError, normalise

_BETWEEN: Final = re.compile(r"[,\n]")
_NOT_DIALLED: Final = re.compile(r"[^+0-9*]")
_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
_ANYTHING: Final = "*"


class BadPatternError(ValueError):
    """A pattern that cannot match. Tells its place in the list, never its value."""


@dataclass(frozen=True, slots=True)
class Blocklist:
    """What is left out of events, as if nobody had been named by it."""

    exact: frozenset[tuple[str, str]] = frozenset()
    """Kind and NORMALISED value."""
    patterns: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    """By kind, over NORMALISED values."""

    def names(self, kind: str, value: str) -> bool:
        """Whether the NORMALISED identifier is blocked."""
        if (kind, value) in self.exact:
            return True
        pattern = self.patterns.get(kind)
        return pattern is not None and pattern.fullmatch(value) is not None


NOTHING_BLOCKED: Final = Blocklist()


def parse_blocklist(text: str) -> Blocklist:
    """Patterns `kind:value`, separated by commas or lines; `*` in a value is any text, also none.

    Values are spelled in any way that `normalise` takes: `phone:+49 (0)30 123-456`.
    Raises BadPatternError.
    """
    exact: set[tuple[str, str]] = set()
    loose: dict[str, list[str]] = {}
    given = [part.strip() for part in _BETWEEN.split(text)]
    for place, pattern in enumerate(filter(None, given), 1):
        kind, colon, value = pattern.partition(":")
        if not (colon and value.strip() and _KIND.fullmatch(kind)):
            raise BadPatternError(f"blocked identifier {place} must look like email:test@*")
        if _ANYTHING in value:
            loose.setdefault(kind, []).append(_expression(kind, value))
        else:
            exact.add((kind, _normal(kind, value, place)))
    return Blocklist(frozenset(exact), {kind: _either(loose[kind]) for kind in loose})


def _normal(kind: str, value: str, place: int) -> str:
    try:
        return normalise(kind, value)
    except InvalidIdentifierError as error:
        raise BadPatternError(f"blocked identifier {place}: {error}") from None


def _expression(kind: str, value: str) -> str:
    """The rest of a normal form: half an address or number cannot be normalised as a whole."""
    spelled = normalize("NFC", value).strip()
    if kind == EMAIL:
        spelled = spelled.casefold()
    elif kind == PHONE:
        spelled = _NOT_DIALLED.sub("", spelled)
    return ".*".join(re.escape(part) for part in spelled.split(_ANYTHING))


def _either(expressions: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in expressions), re.DOTALL)
