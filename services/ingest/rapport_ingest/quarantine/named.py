"""Whom a refused event names, as far as anybody can tell from what cannot be read. Pure.

An erasure must find what waits in quarantine. So this would rather find too many names: one that
names nobody finds nothing, one that is missed leaves somebody's data there until it is pruned.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from rapport_privacy.identifiers import InvalidIdentifierError, is_placeholder, normalise

MOST: Final = 100
_MOST_NODES: Final = 5_000
_LONGEST: Final = 320

_BOTH: Final = ("user_id", "anonymous_id")
_KINDS: Final = {
    "userid": ("user_id",),
    "anonymousid": ("anonymous_id",),
    "distinctid": _BOTH,
    "anondistinctid": _BOTH,
    "previousid": _BOTH,
    "alias": _BOTH,
    "email": ("email",),
    "phone": ("phone",),
}
"""Names of fields, without their punctuation, to what is in them."""

_HOLDERS: Final = frozenset({"identifiers", "from"})
"""Objects of kind to id."""

_PUNCTUATION: Final = re.compile(r"[^a-z0-9]+")
_INTERNATIONAL: Final = re.compile(r"\+[0-9 ()./-]{6,30}\Z")

Name = tuple[str, str]
"""Kind and normalised value."""


def names_in(event: object) -> set[Name]:
    """At most 100 names that stand anywhere in the event."""
    found: set[Name] = set()
    for kind, value in _candidates(event):
        if len(found) >= MOST:
            break
        try:
            if not is_placeholder(kind, value):
                found.add((kind, normalise(kind, value)))
        except InvalidIdentifierError:
            continue
    return found


def _candidates(event: object) -> Iterator[tuple[str, Any]]:
    nodes: list[tuple[str, bool, object]] = [("", False, event)]
    for _ in range(_MOST_NODES):
        if not nodes:
            return
        name, held, value = nodes.pop()
        if isinstance(value, dict):
            yield from _external(value)
            holds = name in _HOLDERS
            nodes += ((key, holds, one) for key, one in value.items() if isinstance(key, str))
        elif isinstance(value, list):
            nodes += ((name, False, one) for one in value)
        elif isinstance(value, str | int) and not isinstance(value, bool):
            yield from _leaf(name, value, held=held)


def _leaf(name: str, value: str | int, *, held: bool) -> Iterator[tuple[str, str | int]]:
    if isinstance(value, str) and len(value) > _LONGEST:
        return
    if held:
        yield name, value
    for kind in _KINDS.get(_PUNCTUATION.sub("", name.lower()), ()):
        yield kind, value
    if isinstance(value, str) and "@" in value:
        yield "email", value
    if isinstance(value, str) and _INTERNATIONAL.match(value):
        yield "phone", value


def _external(value: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Segment's `externalIds`: `{"id": "7", "type": "crm_id"}`."""
    kind, external = value.get("type"), value.get("id")
    if isinstance(kind, str) and isinstance(external, str | int) and len(kind) <= _LONGEST:
        yield _PUNCTUATION.sub("_", kind.lower()), external
