"""What the API reads, statement by statement, inside one snapshot of the database."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from rapport_runtime.pool import Snapshot

from rapport_metrics.domain.catalogue import Kpi
from rapport_metrics.domain.reading import Row
from rapport_metrics.spans import Ranges, divide
from rapport_metrics.tables import DIMS

_CELLS: Final = """
    SELECT metric, bucket, dims, bin, num, den
    FROM unnest($2::int[], $3::int[]) AS fine (since, until) CROSS JOIN LATERAL (
        SELECT * FROM cell WHERE metric = ANY($1::text[]) AND bucket >= since AND bucket < until
        OFFSET 0
    ) AS hour
    UNION ALL
    SELECT metric, day * 1440, dims, bin, num, den
    FROM unnest($4::int[], $5::int[]) AS whole (since, until) CROSS JOIN LATERAL (
        SELECT * FROM daily WHERE metric = ANY($1::text[]) AND day >= since AND day < until
        OFFSET 0
    ) AS date
"""
"""Of whole days their totals, of the rest those of its hours and minutes; see `spans.divide`.

`OFFSET 0`: one look into the index for each range. As a join, two ranges were enough to make the
planner read the whole table, on all processors, for a month that begins within a day.
"""

_SERIES: Final = """
SELECT slot, young, {groups} metric, bin, sum(num)::bigint, sum(den)::bigint
FROM (
    SELECT width_bucket(bucket, $6::int[]) - 1 AS slot, bucket >= $7 AS young, metric, dims,
        {bin} AS bin, sum(num) AS num, sum(den) AS den
    FROM ({cells}) AS cell GROUP BY 1, 2, 3, 4, 5
) AS part {join}
WHERE true {filters}
GROUP BY slot, young, {groups} metric, bin
"""
"""Added up before it is known what the combinations of dimensions are: there are few of them."""

_BEFORE: Final = """
SELECT {groups} metric, sum(num)::bigint, sum(den)::bigint
FROM (SELECT metric, dims, sum(num) AS num, sum(den) AS den FROM ({cells}) AS cell GROUP BY 1, 2)
    AS part {join}
WHERE true {filters}
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


async def load_slots(
    snap: Snapshot, kpi: Kpi, selection: Selection, suffix: str = ""
) -> list[Slot]:
    """The totals of each window and group in which there is something.

    `suffix`: of the metrics' names, where those of another version are meant.
    """
    sql, values = _statement(_SERIES, selection, first=8, distribution=kpi.shape == "distribution")
    ranges = divide(selection.edges, selection.end, selection.mature_before)
    rows = await snap.fetch(
        sql, sorted(name + suffix for name in kpi.metrics | kpi.beside), *_columns(ranges),
        list(selection.edges), selection.mature_before, *values,
    )  # fmt: skip
    width = 2 + len(selection.group_by)
    return [
        Slot(
            row[0],
            row[1],
            tuple(row[2:width]),
            Row(row[width].removesuffix(suffix), *row[width + 1 :]),
        )
        for row in rows
    ]


async def load_before(
    snap: Snapshot, kpi: Kpi, selection: Selection, suffix: str = ""
) -> dict[Group, list[Row]]:
    """What had come together before the first window, by group; for levels."""
    sql, values = _statement(_BEFORE, selection, first=6, distribution=False)
    ranges = divide([0], selection.edges[0], selection.edges[0])
    names = sorted(name + suffix for name in kpi.metrics)
    rows = await snap.fetch(sql, names, *_columns(ranges), *values)
    width = len(selection.group_by)
    found: dict[Group, list[Row]] = {}
    for row in rows:
        metric, num, den = row[width:]
        found.setdefault(tuple(row[:width]), []).append(
            Row(metric.removesuffix(suffix), -1, num, den)
        )
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
    sql = template.format(
        groups=groups,
        cells=_CELLS,
        join="JOIN dims ON dims.id = part.dims" if named else "",
        filters=filters,
        bin="bin" if distribution else "-1",
    )
    return sql, list(selection.filters.values())


def _columns(ranges: Ranges) -> Iterator[list[int]]:
    """As the statement takes them: where each range begins, and where it ends."""
    for some in (ranges.fine, ranges.whole):
        yield [since for since, _ in some]
        yield [until for _, until in some]
