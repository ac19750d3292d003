"""What a merge of two people would change, before anybody has told it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from rapport_profile.domain.identity import Edge, Limits, partition
from rapport_profile.domain.source import Source

_UNTOLD: Final = b""
"""Merge key of a merge that nobody has told: no event has it."""


class Name(NamedTuple):
    """The identifier by which an event names somebody."""

    subject: str
    kind: str | None


class Rehearsal(NamedTuple):
    """Who would be one person after the merge."""

    members: tuple[str, ...]
    """Sorted: the first one is the root."""
    joined: tuple[str, ...]
    """Members of neither person now."""
    left: tuple[str, ...]
    """Members of one of them now, whom a guard would hold back then."""
    settled: tuple[bytes, ...]
    """Merge keys of links that a guard holds back now, and would not then."""
    refused: Mapping[bytes, str]
    """Links that a guard would hold back then, and does not now: merge key to reason."""


class Excess(NamedTuple):
    """More identifiers of a kind than links alone may give one person."""

    kind: str
    total: int
    limit: int


def rehearse(
    edges: Iterable[Edge],
    two: tuple[Sequence[str], Sequence[str]],
    named: tuple[Name, Name],
    limits: Limits,
    now: datetime,
) -> Rehearsal:
    """What somebody's word that the two are one person would make of them.

    `edges`: those of both clusters. `two`: the members of both people. `named`: by which member
    of each the word names them; that decides who stays with whom if a guard gets in the way.
    """
    known = list(edges)
    (a, kind_a), (b, kind_b) = sorted(named)
    word = Edge(_UNTOLD, a, b, kind_a, kind_b, (now, now, _UNTOLD), now, explicit=True)
    before, after = partition(known, limits), partition([*known, word], limits)
    members, together = after.person_of(a), {*two[0], *two[1]}
    return Rehearsal(
        members=members,
        joined=tuple(subject for subject in members if subject not in together),
        left=tuple(sorted(together.difference(members))),
        settled=tuple(sorted(before.refused.keys() - after.refused.keys())),
        refused={k: why for k, why in after.refused.items() if k not in before.refused},
    )


def overridden(one: Mapping[str, int], other: Mapping[str, int], limits: Limits) -> list[Excess]:
    """The guards that would hold the two apart, had only an event linked them.

    `one`, `other`: kind to the number of identifiers. A kind that only one of them has holds
    nobody apart.
    """
    totals = [(kind, one[kind] + other[kind]) for kind in sorted(one.keys() & other.keys())]
    found = [Excess(kind, total, limits.most(kind)) for kind, total in totals]
    return [excess for excess in found if excess.total > excess.limit]


class Word(NamedTuple):
    """What was said of somebody, and by which event."""

    value: object
    by: Source
    is_personal: bool = False


class Conflict(NamedTuple):
    """Something that two people's words disagree on."""

    name: str
    words: tuple[Word | None, Word | None]
    result: Word | None
    """What the one person would be said to be; None: nothing."""
    winner: int | None
    """Which of the two words holds; None: neither."""
    why: str


def conflicts(
    one: Mapping[str, Word], other: Mapping[str, Word], merged: Mapping[str, Word]
) -> list[Conflict]:
    """Names on which the two differ, or of which the merged person would lose the value."""
    found = []
    for name in sorted(one.keys() | other.keys()):
        words, result = (one.get(name), other.get(name)), merged.get(name)
        said = [word.value for word in words if word is not None]
        kept = result is not None and all(value == result.value for value in said)
        if not kept:
            found.append(_conflict(name, words, result))
    return found


def _conflict(name: str, words: tuple[Word | None, Word | None], result: Word | None) -> Conflict:
    if result is None:
        return Conflict(name, words, None, None, "a later word takes it away")
    told = [word is not None and word.by.event == result.by.event for word in words]
    if not any(told):
        return Conflict(name, words, result, None, "said last, by a subject that joins them")
    times = {word.by.time for word in words if word is not None}
    why = "said last" if len(times) > 1 else "said at the same time, and accepted last"
    return Conflict(name, words, result, told.index(True), why)
