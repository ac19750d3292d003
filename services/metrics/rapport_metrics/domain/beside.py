"""Facts by another version of a definition, beside those of the one in force."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from rapport_metrics.domain.facts import Fact

if TYPE_CHECKING:
    from rapport_metrics.domain.own import Options


class Beside(NamedTuple):
    """A version that totals are kept by, too."""

    suffix: str
    """Of the metrics' names: `@fcr.v2`."""
    metrics: frozenset[str]
    kinds: frozenset[str]
    """Of entities that have such facts."""
    options: "Options"

    def named(self, facts: Iterable[Fact]) -> Iterator[Fact]:
        """Those of its facts that this version is about, under its own names."""
        for one in facts:
            if one.metric in self.metrics:
                yield replace(one, metric=one.metric + self.suffix)
