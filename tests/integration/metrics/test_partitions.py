"""However many partitions the log has, and however batches fall, the integers are the same."""

import random
from typing import Any

import pytest
from rapport_events.envelope import Record

from tests.support.fixtures import MakeDatabase
from tests.support.kpi_example import IS_PRESENT, happenings, lines
from tests.support.kpi_records import records
from tests.support.metrics_house import Callers, prepare_metrics
from tests.support.metrics_log import Log, open_counted
from tests.support.servers import open_test_broker, own_broker_choice

SEED = 29

TOTALS = """
SELECT metric, bucket, bin, channel, team, agent, topic, priority, about, segment, currency,
    sum(num)::bigint, sum(den)::bigint
FROM cell JOIN dims ON dims.id = cell.dims GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
HAVING sum(num) <> 0 OR sum(den) <> 0 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
"""
DAYS = """
SELECT metric, day, dims, bin, sum(num)::bigint, sum(den)::bigint FROM daily
GROUP BY 1, 2, 3, 4 HAVING sum(num) <> 0 OR sum(den) <> 0 ORDER BY 1, 2, 3, 4
"""
DAYS_OF_CELLS = """
SELECT metric, bucket / 1440, dims, bin, sum(num)::bigint, sum(den)::bigint FROM cell
GROUP BY 1, 2, 3, 4 HAVING sum(num) <> 0 OR sum(den) <> 0 ORDER BY 1, 2, 3, 4
"""
PERSONS = (
    "SELECT order_id, subject_id, at, net, currency FROM purchase ORDER BY 1",
    "SELECT subject_id, hour FROM activity ORDER BY 1, 2",
    "SELECT subject_id, root, created, erased FROM person ORDER BY 1",
    "SELECT kind, id, first_at, last_at FROM entity ORDER BY 1, 2",
)

Counted = list[list[tuple[Any, ...]]]


async def counted_over(
    partitions: int, told: list[Record], database: str, callers: Callers
) -> Counted:
    """All that the real consumer makes of a log with so many partitions."""
    async with open_test_broker(own_broker_choice()) as broker:
        log = await Log.make(broker, partitions)
        await log.tell(told)
        async with open_counted(log, database, callers) as counted:
            await counted.count()
            assert await counted.rows(DAYS) == await counted.rows(DAYS_OF_CELLS)
            shards = await counted.rows("SELECT count(DISTINCT shard) FROM cell")
            assert shards[0][0] <= partitions
            return [await counted.rows(query) for query in (TOTALS, *PERSONS)]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not IS_PRESENT, reason="the worked example is not here")
async def test_one_two_four_and_eight_partitions_count_the_same_integers(
    new_database: MakeDatabase, callers: Callers
) -> None:
    told = list(records(one for one in happenings(lines()) if one.by.subject))
    wanted: Counted | None = None
    for partitions in (1, 2, 4, 8):
        # Each time in another order: that of a log is no promise to who reads several of them.
        random.Random(SEED + partitions).shuffle(told)
        found = await counted_over(partitions, told, await new_database(prepare_metrics), callers)
        assert len(found[0]) > 1_000
        wanted = wanted or found
        assert found == wanted, f"{partitions} partitions"
