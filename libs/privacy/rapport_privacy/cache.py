"""What the keyring remembers between two looks at its database: bounded in time and in number."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Stamp(NamedTuple):
    """When a look at the database began."""

    epoch: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long and how much is remembered; `clock` in seconds, never going back."""

    seconds: float
    limit: int
    clock: Callable[[], float]


class Cache(Generic[K, V]):
    """Forgets each thing `seconds` after the look that found it, however often it is used.

    That is what lets an erasure by another process take hold here in bounded time. Beyond
    the limit, the one not used for longest goes.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._epoch = 0
        self._things: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def stamp(self) -> Stamp:
        """To be taken before looking: what is seen may be gone a moment later."""
        return Stamp(self._epoch, self._bounds.clock())

    def recall(self, keys: set[K]) -> dict[K, V]:
        """Those of `keys` that are remembered."""
        now = self._bounds.clock()
        known: dict[K, V] = {}
        for key in keys:
            thing = self._things.get(key)
            if thing is None:
                continue
            if thing[0] > now:
                self._things.move_to_end(key)
                known[key] = thing[1]
            else:
                del self._things[key]
        return known

    def remember(self, found: Mapping[K, V], stamp: Stamp) -> None:
        """Keeps what a look found, unless everything was forgotten since it began."""
        if stamp.epoch != self._epoch:
            return
        forget_at = stamp.at + self._bounds.seconds
        for key, value in found.items():
            self._things[key] = (forget_at, value)
            self._things.move_to_end(key)
        while len(self._things) > self._bounds.limit:
            self._things.popitem(last=False)

    def forget(self) -> None:
        """Drops everything, and what looks that are under way will find."""
        self._epoch += 1
        self._things.clear()

    def __len__(self) -> int:
        return len(self._things)
