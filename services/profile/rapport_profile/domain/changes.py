"""What differs between two profiles, item by item, and which items an event touches."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from rapport_profile.domain import fold as folding
from rapport_profile.domain.state import Consent, Fact, Profile
from rapport_profile.domain.steps import Note
from rapport_profile.domain.suggestions import Suggestion

_EMPTY: Final = Profile()

PARTS: Final = tuple(
    name for name in Profile.__struct_fields__ if isinstance(getattr(_EMPTY, name), dict)
)
"""Fields of a profile that hold items by name: orders, tickets, consents …"""

POINTS: Final = "points"
"""The one part that is a number."""


class Item(NamedTuple):
    """One order, one ticket, one consent: a field of the profile, and a name in it."""

    part: str
    name: str


class Change(NamedTuple):
    """An item that is not the same in both profiles; None where it is not there."""

    item: Item
    before: object
    after: object


def changes(before: Profile, after: Profile) -> Iterator[Change]:
    """Every item that differs, part by part and by name."""
    for part in PARTS:
        old, new = getattr(before, part), getattr(after, part)
        for name in sorted(old.keys() | new.keys()):
            was, became = _shown(old.get(name)), _shown(new.get(name))
            if not _says_the_same(was, became):
                yield Change(Item(part, name), was, became)
    if before.points != after.points:
        yield Change(Item(POINTS, POINTS), before.points, after.points)


class Watch:
    """Finds out which items events write to, or would write to if they were there.

    By watching what their fold asks a profile for: there is no second list of what events do.
    """

    def __init__(self) -> None:
        self._asked: set[Item] = set()
        self._profile = Profile()
        for part in PARTS:
            setattr(self._profile, part, _Watched(part, self._asked))

    def touched(self, fact: folding.Fact) -> set[Item]:
        self._asked.clear()
        points = self._profile.points
        folding.fold(self._profile, [fact])
        if self._profile.points != points:
            self._asked.add(Item(POINTS, POINTS))
        return self._asked.copy()


def _shown(item: object) -> object:
    """What is over, a removed note or a suggestion, is there only for its own history."""
    if isinstance(item, Suggestion) and item.state != "open":
        return None
    return None if isinstance(item, Note) and item.end is not None else item


def _says_the_same(one: object, other: object) -> bool:
    """Who said it last makes no difference to what a fact or a consent says."""
    if isinstance(one, Fact) and isinstance(other, Fact):
        return one.value == other.value
    if isinstance(one, Consent) and isinstance(other, Consent):
        return _terms(one) == _terms(other)
    return one == other


def _terms(consent: Consent) -> tuple[bool, str | None, str | None]:
    return consent.granted, consent.proof, consent.policy_version


class _Watched(dict[str, Any]):
    """The items of a part, noting which of them are asked for."""

    def __init__(self, part: str, asked: set[Item]) -> None:
        super().__init__()
        self._part = part
        self._asked = asked

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - as in dict
        self._asked.add(Item(self._part, name))
        return super().__getitem__(name)

    def __setitem__(self, name: str, item: object) -> None:
        self._asked.add(Item(self._part, name))
        super().__setitem__(name, item)

    def get(self, name: str, default: object = None) -> Any:  # noqa: ANN401 - as in dict
        self._asked.add(Item(self._part, name))
        return super().get(name, default)

    def setdefault(self, name: str, default: object = None) -> Any:  # noqa: ANN401 - as in dict
        self._asked.add(Item(self._part, name))
        return super().setdefault(name, default)

    def pop(self, name: str, default: object = None) -> Any:  # noqa: ANN401 - as in dict
        self._asked.add(Item(self._part, name))
        return super().pop(name, default)
