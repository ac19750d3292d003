"""What is asked of a KPI, checked already."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from rapport_metrics.domain.catalogue import Kpi
from rapport_metrics.domain.own import Options

Window = tuple[datetime, datetime]


class Question(NamedTuple):
    """A KPI over windows, by groups. `as_of`: what happens from then on does not count."""

    kpi: Kpi
    windows: Sequence[Window]
    as_of: datetime
    group_by: Sequence[str]
    filters: Mapping[str, str]
    churn_window: int
    """Microseconds."""
    options: Options
    is_past: bool = False
    """Whether what has happened since `as_of` is to be taken back."""
    is_recounted: bool = False
    """Whether no totals are kept by these options, so that they are counted now."""
    known_at: datetime | None = None
    """When it was asked, where `as_of` may lie ahead of that: no window ends later than now."""
    suffix: str = ""
    """Of the totals that are kept by another version than the one in force: `@fcr.v2`."""

    @property
    def seen_at(self) -> datetime:
        """Until when anything can have happened."""
        return self.as_of if self.known_at is None else min(self.as_of, self.known_at)

    @property
    def lookahead(self) -> int:
        return lookahead(self.kpi, self.options)


def lookahead(kpi: Kpi, options: Options) -> int:
    """Microseconds after which a unit is decided; of first contacts, the repeat window."""
    return options.repeat_window if kpi.id in {"fcr", "fcr_net"} else kpi.lookahead
