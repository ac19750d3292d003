"""What the API reads, statement by statement, inside one snapshot of the database."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from rapport_runtime.pool import Snapshot

from rapport_metrics.domain.catalogue import Kpi
from rapport_metrics.domain.reading import Row
from rapport_metrics.tables import DIMS

_SERIES: Final = """
SELECT width_bucket(bucket, $2::int[]) - 1 AS slot, bucket >= $4 AS young, {groups}
    metric, {bin} AS bin, sum(num)::bigint, sum(den)::bigint
FROM cell {join}
WHERE metric = ANY($1::text[]) AND bucket >= $2[1] AND bucket < $3 {filters}
GROUP BY slot, young, {groups} metric, bin
"""

_BEFORE: Final = """
SELECT {groups} metric, sum(num)::bigint, sum(den)::bigint
FROM cell {join}
WHERE metric = ANY($1::text[]) AND bucket < $2 {filters}
GROUP BY {groups} metric
"""

Group = tuple[str | None, ...]
"""A value of each dimension that is grouped by, in that order."""


class Slot(NamedTuple):
    """Some totals of one window and one group. `young`: look-ahead is not over for them."""

    window: int
    young: bool
    group: Group
    row: Row


class Selection(NamedTuple):
    """Minutes since 1970. `edges`: where windows begin; `end`: where the last one ends."""

    edges: Sequence[int]
    end: int
    mature_before: int
    group_by: Sequence[str] = ()
    filters: Mapping[str, str] = {}


async def load_slots(snap: Snapshot, kpi: Kpi, selection: Selection) -> list[Slot]:
    """The totals of each window and group in which there is something."""
    sql, values = _statement(_SERIES, selection, first=5, distribution=kpi.shape == "distribution")
    rows = await snap.fetch(
        sql, sorted(kpi.metrics | kpi.beside), list(selection.edges), selection.end,
        selection.mature_before, *values,
    )  # fmt: skip
    width = len(selection.group_by)
    return [Slot(row[0], row[1], tuple(row[2 : 2 + width]), Row(*row[2 + width :])) for row in rows]


async def load_before(snap: Snapshot, kpi: Kpi, selection: Selection) -> dict[Group, list[Row]]:
    """What had come together before the first window, by group; for levels."""
    sql, values = _statement(_BEFORE, selection, first=3, distribution=False)
    rows = await snap.fetch(sql, sorted(kpi.metrics), selection.edges[0], *values)
    width = len(selection.group_by)
    found: dict[Group, list[Row]] = {}
    for row in rows:
        metric, num, den = row[width:]
        found.setdefault(tuple(row[:width]), []).append(Row(metric, -1, num, den))
    return found


def _statement(
    template: str, selection: Selection, *, first: int, distribution: bool
) -> tuple[str, list[str]]:
    """Names of dimensions are put into the text: they come from `DIMS` only, never from outside."""
    named = [*selection.group_by, *selection.filters]
    unknown = set(named) - set(DIMS)
    if unknown:
        raise ValueError(f"no such dimensions: {sorted(unknown)}")
    groups = "".join(f"dims.{name}, " for name in selection.group_by)
    filters = "".join(
        f" AND dims.{name} = ${number}"
        for number, name in enumerate(selection.filters, start=first)
    )
    join = "JOIN dims ON dims.id = cell.dims" if named else ""
    sql = template.format(
        groups=groups, join=join, filters=filters, bin="bin" if distribution else "-1"
    )
    return sql, list(selection.filters.values())
