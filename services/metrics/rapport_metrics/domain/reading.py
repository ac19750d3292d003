"""From totals to the numbers of a KPI."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from rapport_metrics.domain.catalogue import Kpi, Term
from rapport_metrics.domain.facts import NO_BIN
from rapport_metrics.domain.histogram import quantile
from rapport_metrics.domain.interval import Interval, net_promoter, wilson
from rapport_metrics.domain.value import ratio

_PERMILLES: Final = {"p50": 500, "p90": 900, "p99": 990}


class Row(NamedTuple):
    """The sum of some cells: a metric, a bin of it (-1: none), and what they add up to."""

    metric: str
    bin: int
    num: int
    den: int


class Reading(NamedTuple):
    """A KPI of a window. `value` is None when there is nothing to divide by.

    `percentiles` are those of a distribution, in its unit. `interval`: of shares and scores, 95 %.
    """

    num: int
    den: int
    value: float | int | None
    percentiles: Mapping[str, int | None]
    interval: Interval | None = None


def read(kpi: Kpi, rows: Iterable[Row]) -> Reading:
    """What the totals of a window say; `rows` may hold metrics of other KPIs."""
    totals: Counter[tuple[str, str]] = Counter()
    bins: Counter[int] = Counter()
    spread = kpi.metrics if kpi.shape == "distribution" else frozenset[str]()
    for row in rows:
        totals[row.metric, "num"] += row.num
        totals[row.metric, "den"] += row.den
        if row.bin != NO_BIN and row.metric in spread:
            bins[row.bin] += row.den
    num, den = _sum(kpi.num, totals), _sum(kpi.den, totals)
    if kpi.shape in {"total", "level"}:
        return Reading(num, den, num, {})
    percentiles = (
        {name: quantile(bins, permille) for name, permille in _PERMILLES.items()}
        if kpi.shape == "distribution"
        else {}
    )
    interval = _interval(kpi, num, den, totals)
    return Reading(num, den, ratio(num, den, kpi.scale), percentiles, interval)


def _interval(
    kpi: Kpi, num: int, den: int, totals: Mapping[tuple[str, str], int]
) -> Interval | None:
    if kpi.beside:
        promoters = totals[f"{kpi.id}_promoters", "num"]
        return net_promoter(promoters, totals[f"{kpi.id}_detractors", "num"], den)
    return wilson(num, den, kpi.scale) if kpi.is_share else None


def _sum(terms: Iterable[Term], totals: Mapping[tuple[str, str], int]) -> int:
    return sum(term.sign * totals[term.metric, term.column] for term in terms)
