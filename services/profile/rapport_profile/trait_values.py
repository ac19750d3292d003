"""Every value that a trait had: who said it first, how often, and until when it held."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from rapport_profile.domain.fold import fold
from rapport_profile.domain.state import Profile, Source
from rapport_profile.history import fact_of
from rapport_profile.reader import Opened
from rapport_profile.traits import named

Part = Literal["traits", "preferences", "scores"]

_PARTS: Final[tuple[Part, ...]] = ("traits", "preferences", "scores")
"""Parts of the profile that hold one value by name; also fields of the state."""


class Telling(NamedTuple):
    """One event that says what a trait is."""

    part: Part
    value: object
    """None: there is none from here on."""
    by: Source
    recordedtime: datetime
    is_personal: bool


@dataclass(slots=True)
class Held:
    """A value, from when it was first said until another was."""

    first: Telling
    last: Telling
    times: int = 1
    until: datetime | None = None


def tellings(name: str, event: Opened) -> Iterator[Telling]:
    """What an event says of a trait, a preference or a score of this name."""
    envelope = event.envelope
    by = Source(event.stored.key.hex(), envelope.source, envelope.time)
    # Folded alone, an event sets just what it says.
    alone = fold(Profile(), [fact_of(event.stored)])
    for part in _PARTS:
        fact = getattr(alone, part).get(name)
        if fact is not None:
            yield Telling(part, fact.value, by, envelope.recordedtime, is_personal=False)
    for one, value in named(event):
        if one == name:
            yield Telling("traits", value, by, envelope.recordedtime, is_personal=True)


def values(told: Iterable[Telling]) -> list[Held]:
    """The values one after the other, newest first; `told` is in fold order."""
    holding: dict[Part, Held] = {}
    found: list[Held] = []
    for one in told:
        known = holding.get(one.part)
        if known is not None and _is_same(known.first, one):
            known.last, known.times = one, known.times + 1
            continue
        if known is None and one.value is None:
            continue
        if known is not None:
            known.until = one.by.time
        holding[one.part] = Held(one, one)
        found.append(holding[one.part])
    return found[::-1]


def _is_same(one: Telling, other: Telling) -> bool:
    return (one.value, one.is_personal) == (other.value, other.is_personal)
