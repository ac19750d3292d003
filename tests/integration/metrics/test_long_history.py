"""A month is found as fast among years of totals as among few."""

from datetime import UTC, datetime
from typing import Final

from rapport_metrics.domain.catalogue import CATALOGUE
from rapport_metrics.queries import Selection, load_slots
from rapport_runtime.database import driver
from sqlalchemy import text

from tests.support.metrics_house import House

HOURS: Final = 3 * 365 * 24
PLACES: Final = 6

_YEARS: Final = text("""
    INSERT INTO cell (metric, bucket, dims, bin, shard, num, den)
    SELECT metric, (:last - hour) * 60, place, -1, 0, 1, 2
    FROM unnest(ARRAY['csat', 'nps', 'ces', 'aht']) AS metric,
        generate_series(1, :hours) AS hour, generate_series(1, :places) AS place
""")
_DAYS: Final = text("""
    INSERT INTO daily (metric, day, dims, bin, shard, num, den)
    SELECT metric, bucket / 1440, dims, bin, shard, sum(num), sum(den)
    FROM cell GROUP BY 1, 2, 3, 4, 5
""")
_WALKED: Final = """
    SELECT sum(seq_tup_read)::bigint FROM pg_stat_xact_user_tables
    WHERE relname IN ('cell', 'daily')
"""
"""Rows that this transaction came by on its way from the beginning of a table to its end."""


async def remember_years(house: House, until: datetime) -> None:
    """Totals of every hour of three years, for some places and four KPIs."""
    last = int(until.timestamp()) // 3_600
    async with house.resources.engine.begin() as tx:
        await tx.execute(_YEARS, {"last": last, "hours": HOURS, "places": PLACES})
        await tx.execute(_DAYS)
        await tx.execute(text("ANALYZE cell, daily"))


async def test_a_month_that_begins_within_a_day_is_not_searched_for_in_all_years(
    house: House,
) -> None:
    now = datetime(2026, 11, 20, 7, tzinfo=UTC)
    await remember_years(house, now)
    hour = int(now.timestamp()) // 3_600
    start, end = (hour - 30 * 24 - 5) * 60, (hour - 3) * 60
    month = Selection(edges=[start], end=end, mature_before=end)

    async with house.resources.engine.begin() as tx:
        snap = await driver(tx)
        slots = await load_slots(snap, CATALOGUE["csat"], month)
        walked = await snap.fetchval(_WALKED)

    assert sum(slot.row.den for slot in slots) == (30 * 24 + 2) * PLACES * 2
    assert walked == 0
