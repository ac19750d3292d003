"""The database holds what the pure core says, whatever the batches."""

from collections.abc import AsyncIterator, Sequence
from itertools import islice
from random import Random
from time import perf_counter

import pytest
from rapport_events.envelope import Record
from rapport_metrics.consumer import happening, subscription
from rapport_metrics.store import dims_id
from rapport_runtime.database import migrate
from rapport_runtime.inbox import fresh
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.support.fixtures import MakeDatabase
from tests.support.kpi_example import IS_PRESENT, happenings, lines
from tests.support.kpi_memory import Memory
from tests.support.kpi_records import records

SEED = 7


async def prepare_metrics(url: str) -> None:
    await migrate("rapport_metrics", url)


@pytest.fixture
async def engine(new_database: MakeDatabase) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(await new_database(prepare_metrics))
    yield engine
    await engine.dispose()


async def project(engine: AsyncEngine, told: Sequence[Record], batch: int) -> float:
    """Applies the records as the worker does; events a second."""
    metrics, rest, began = subscription(), iter(told), perf_counter()
    while taken := list(islice(rest, batch)):
        async with engine.begin() as tx:
            sifted = await fresh(metrics.name, tx, taken)
            await metrics.apply(tx, sifted.new)
    return len(told) / (perf_counter() - began)


async def totals(engine: AsyncEngine) -> dict[tuple[object, ...], tuple[int, int]]:
    async with engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT metric, bucket, dims, bin, sum(num)::bigint, sum(den)::bigint FROM cell"
                " GROUP BY 1, 2, 3, 4 HAVING sum(num) <> 0 OR sum(den) <> 0"
            )
        )
        return {tuple(row[:4]): (row[4], row[5]) for row in rows}


@pytest.mark.skipif(not IS_PRESENT, reason="the worked example is not here")
@pytest.mark.parametrize("batch", [250, 5_000])
async def test_the_database_holds_what_the_core_says(engine: AsyncEngine, batch: int) -> None:
    told = list(records(happenings(lines())))
    Random(SEED).shuffle(told)
    twice = [record for record in told for _ in range(2)]
    memory = Memory().take_all((one for one in map(happening, told) if one), batch=1_000)

    speed = await project(engine, twice, batch)

    print(f"\n{speed:.0f} events/s")  # noqa: T201
    assert await totals(engine) == {
        (cell.metric, cell.bucket, dims_id(cell.dims), cell.bin): total
        for cell, total in memory.cells.items()
    }
