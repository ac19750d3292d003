"""What the facts of a batch add up to: taken away as they were, given back as they are."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from rapport_metrics.domain.causes import Causes, Whose
from rapport_metrics.domain.entities import Ref
from rapport_metrics.domain.facts import Dims, Fact
from rapport_metrics.domain.outcome import Cell, bucket
from rapport_metrics.domain.working import Working

_Place = tuple[str, int, Dims, int]
"""A plain tuple names a cell as well, and is made in a tenth of the time."""


class Totals:
    """By cell. `closed`: the minute before which days are published."""

    def __init__(self, closed: int) -> None:
        self._closed = closed
        self._sums: dict[_Place, list[int]] = defaultdict(lambda: [0, 0])
        self._whose: dict[_Place, tuple[Whose, bytes]] = {}

    def replace(self, before: Collection[Fact], after: Collection[Fact], whose: Whose) -> None:
        """Takes the facts of one thing away, and gives others."""
        if before != after:
            self._count(before, -1, whose)
            self._count(after, +1, whose)

    def left(self) -> dict[Cell, tuple[int, int]]:
        return {Cell(*place): (num, den) for place, (num, den) in self._sums.items() if num or den}

    def causes(self, working: Working, owners: Mapping[Ref, str | None]) -> dict[Cell, bytes]:
        """The last event that changed each total of a published day."""
        if not self._whose:
            return {}
        causes = Causes(working, owners)
        return {
            Cell(*place): causes.of(whose) or dated_by
            for place, (whose, dated_by) in self._whose.items()
        }

    def _count(self, facts: Iterable[Fact], sign: int, whose: Whose) -> None:
        sums, closed = self._sums, self._closed
        for fact in facts:
            minute = bucket(fact.metric, fact.at)
            place = (fact.metric, minute, fact.dims, fact.bin)
            total = sums[place]
            total[0] += sign * fact.num
            total[1] += sign * fact.den
            if minute < closed:
                self._whose[place] = (whose, fact.cause)
