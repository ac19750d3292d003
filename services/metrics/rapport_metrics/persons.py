"""KPIs that count persons: asked of the database, exactly, for any window (kpis.md 2.15-2.17, 4).

A person is the smallest of their subjects (`person.root`); who was erased is nobody, also in the
past. Instants in microseconds since 1970.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple

from rapport_runtime.pool import Snapshot

from rapport_metrics.customer_groups import RFM, STAGES
from rapport_metrics.domain.instants import DAY, HOUR
from rapport_metrics.domain.surveys import promotion
from rapport_metrics.last_answers import last_relationship_scores
from rapport_metrics.purchases import NOW, Earlier, fetch, main_currency

_BUYING: Final = """
SELECT count(*) FILTER (WHERE orders > 0),
    coalesce(sum(orders), 0)::bigint,
    count(*) FILTER (WHERE orders > 1),
    count(*) FILTER (WHERE orders > 0 AND before_end > 1)
FROM (
    SELECT count(*) FILTER (WHERE at >= $1) AS orders, count(*) AS before_end
    FROM bought WHERE at < $2 GROUP BY person
) AS buyer
"""

_RETENTION: Final = """
SELECT count(*) FILTER (WHERE at_start), count(*) FILTER (WHERE at_start AND at_end),
    count(*) FILTER (WHERE at_end), count(*) FILTER (WHERE at_end AND first >= $1)
FROM (
    SELECT bool_or(at >= $1::bigint - $3::bigint AND at < $1) AS at_start,
        bool_or(at >= $2::bigint - $3::bigint) AS at_end,
        min(at) AS first
    FROM bought WHERE at < $2 GROUP BY person
) AS buyer
"""

_CONTRACTS: Final = """
SELECT count(*) FILTER (WHERE at_start), count(*) FILTER (WHERE at_start AND at_end),
    count(*) FILTER (WHERE joined AND NOT at_start),
    count(*) FILTER (WHERE joined AND NOT at_start AND at_end)
FROM (
    SELECT bool_or(since < $1 AND (until IS NULL OR until >= $1)) AS at_start,
        bool_or(since < $2 AND (until IS NULL OR until >= $2)) AS at_end,
        bool_or(since >= $1) AS joined
    FROM contracted WHERE since < $2 GROUP BY person
) AS customer
"""
"""Somebody is a customer at an instant by what was so just before it."""

_PREDICTED: Final = """
SELECT (document->>'value')::bigint, (document->>'buyers')::bigint FROM model
WHERE kind = 'forecast' AND as_of <= to_timestamp($1::bigint / 1000000)
    AND ($2::bigint IS NULL OR fitted_at < to_timestamp($2::bigint / 1000000))
ORDER BY as_of DESC, id DESC LIMIT 1
"""

_ACTIVE: Final = """
SELECT count(DISTINCT coalesce(person.root, activity.subject_id))
FROM activity LEFT JOIN person USING (subject_id)
WHERE person.erased IS NULL AND activity.hour >= $1 AND activity.hour < $2
"""

_VALUE: Final = """
SELECT coalesce(sum(net), 0)::bigint, count(DISTINCT person) FROM bought
WHERE at < $1 AND currency IS NOT DISTINCT FROM $2
"""


class Asked(NamedTuple):
    """A window [start, end), and how long an order keeps somebody active."""

    start: int
    end: int
    churn_window: int
    before: int | None = None
    """What happened from then on does not count; None: all that is known does."""
    earlier: Earlier = NOW
    """The orders that stood otherwise then."""


class Count(NamedTuple):
    """What comes out: a numerator and a denominator, of a group where there are groups."""

    num: int
    den: int
    group: str | None = None


Counting = Callable[[Snapshot, Asked], Awaitable[list[Count]]]


async def count(snap: Snapshot, kpi: str, asked: Asked) -> list[Count]:
    """The KPI in one window; one count, or one for each stage or group. KeyError: no such KPI."""
    return await _COUNTS[kpi](snap, asked)


async def count_active(snap: Snapshot, asked: Asked) -> int:
    """Persons who were active in the window; whole hours."""
    found = await snap.fetchval(_ACTIVE, asked.start // HOUR, -(-asked.end // HOUR))
    return int(found)


async def _buying(snap: Snapshot, asked: Asked) -> tuple[int, int, int, int]:
    [row] = await fetch(snap, asked.earlier, _BUYING, asked.start, asked.end)
    return row[0], row[1], row[2], row[3]


async def _active_buyers(snap: Snapshot, asked: Asked) -> list[Count]:
    buyers, *_ = await _buying(snap, asked)
    return [Count(buyers, 1)]


async def _frequency(snap: Snapshot, asked: Asked) -> list[Count]:
    buyers, orders, *_ = await _buying(snap, asked)
    return [Count(orders, buyers)]


async def _repeat(snap: Snapshot, asked: Asked) -> list[Count]:
    buyers, _, repeated, _ = await _buying(snap, asked)
    return [Count(repeated, buyers)]


async def _returning(snap: Snapshot, asked: Asked) -> list[Count]:
    buyers, *_, returning = await _buying(snap, asked)
    return [Count(returning, buyers)]


async def _active_customers(snap: Snapshot, asked: Asked) -> list[Count]:
    return [Count(await count_active(snap, asked), 1)]


async def _retention(snap: Snapshot, asked: Asked) -> tuple[int, int, int, int]:
    """Active at the start, retained, active at the end, new."""
    ends = asked.start, asked.end
    [row] = await fetch(snap, asked.earlier, _RETENTION, *ends, asked.churn_window)
    return row[0], row[1], row[2], row[3]


async def _crr(snap: Snapshot, asked: Asked) -> list[Count]:
    at_start, retained, *_ = await _retention(snap, asked)
    return [Count(retained, at_start)]


async def _ccr(snap: Snapshot, asked: Asked) -> list[Count]:
    at_start, retained, *_ = await _retention(snap, asked)
    return [Count(at_start - retained, at_start)]


async def _crr_classic(snap: Snapshot, asked: Asked) -> list[Count]:
    at_start, _, at_end, new = await _retention(snap, asked)
    return [Count(0 if at_start == 0 else at_end - new, at_start)]


async def _contractual(snap: Snapshot, asked: Asked) -> tuple[int, int, int, int]:
    """Customers at the start, those retained; who joined since, and those of them who stayed."""
    row = await snap.fetchrow(_CONTRACTS, asked.start, asked.end)
    assert row is not None  # noqa: S101 - aggregates always have a row
    return row[0], row[1], row[2], row[3]


async def _crr_contractual(snap: Snapshot, asked: Asked) -> list[Count]:
    at_start, retained, *_ = await _contractual(snap, asked)
    return [Count(retained, at_start)]


async def _ccr_contractual(snap: Snapshot, asked: Asked) -> list[Count]:
    """As ChartMogul counts for B2B: who joined and left within the window is in neither number."""
    at_start, retained, *_ = await _contractual(snap, asked)
    return [Count(at_start - retained, at_start)]


async def _ccr_contractual_stripe(snap: Snapshot, asked: Asked) -> list[Count]:
    """As Stripe counts, which takes windows of 30 days: who joined since is in both numbers."""
    at_start, retained, joined, stayed = await _contractual(snap, asked)
    return [Count(at_start - retained + joined - stayed, at_start + joined)]


async def _nps_customers(snap: Snapshot, asked: Asked) -> list[Count]:
    scores = await last_relationship_scores(snap, asked.start, asked.end, asked.before)
    return [Count(sum(promotion(score) for score in scores), len(scores))]


async def _clv_historic(snap: Snapshot, asked: Asked) -> list[Count]:
    currency = await main_currency(snap, asked.end, asked.earlier)
    [row] = await fetch(snap, asked.earlier, _VALUE, asked.end, currency)
    return [Count(row[0], row[1])]


async def _clv_predicted(snap: Snapshot, asked: Asked) -> list[Count]:
    """By the last forecast at the window's end; before the first there is nobody to divide by."""
    row = await snap.fetchrow(_PREDICTED, asked.end, asked.before)
    return [Count(0, 0) if row is None else Count(row[0], row[1])]


async def _lifecycle(snap: Snapshot, asked: Asked) -> list[Count]:
    return _groups(await fetch(snap, asked.earlier, STAGES, asked.end, DAY))


async def _rfm(snap: Snapshot, asked: Asked) -> list[Count]:
    currency = await main_currency(snap, asked.end, asked.earlier)
    return _groups(await fetch(snap, asked.earlier, RFM, asked.end, DAY, currency))


def _groups(rows: Sequence[tuple[str, int]]) -> list[Count]:
    everybody = sum(row[1] for row in rows)
    return [Count(row[1], everybody, row[0]) for row in sorted(rows)]


_COUNTS: Final[Mapping[str, Counting]] = {
    "active_buyers": _active_buyers,
    "active_customers": _active_customers,
    "purchase_frequency": _frequency,
    "repeat_purchase_rate": _repeat,
    "returning_customer_rate": _returning,
    "crr": _crr,
    "ccr": _ccr,
    "crr_classic": _crr_classic,
    "ccr_contractual": _ccr_contractual,
    "ccr_contractual_stripe": _ccr_contractual_stripe,
    "crr_contractual": _crr_contractual,
    "clv_historic": _clv_historic,
    "nps_customers": _nps_customers,
    "clv_predicted": _clv_predicted,
    "lifecycle": _lifecycle,
    "rfm": _rfm,
}

OF_PURCHASES: Final = frozenset(_COUNTS) - {
    "active_customers", "nps_customers", "clv_predicted", "ccr_contractual", "crr_contractual",
    "ccr_contractual_stripe",
}  # fmt: skip
"""Those that a refund changes. What contracts and activity say of an instant never changes."""
