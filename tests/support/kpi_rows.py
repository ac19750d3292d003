"""What the metrics' database holds, and what the pure core says it should: to be compared."""

from dataclasses import dataclass

from msgspec.structs import astuple
from rapport_metrics.store import dims_id
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.kpi_memory import Memory

_CELLS = text(
    "SELECT metric, bucket, dims, bin, sum(num)::bigint, sum(den)::bigint FROM cell"
    " GROUP BY 1, 2, 3, 4 HAVING sum(num) <> 0 OR sum(den) <> 0"
)
_PURCHASES = text("SELECT order_id, subject_id::text, at, net, currency FROM purchase")
_PEOPLE = text("SELECT subject_id::text, root::text, created, erased FROM person")
_ACTIVITY = text("SELECT subject_id::text, hour FROM activity")

Rows = set[tuple[object, ...]]


@dataclass(frozen=True)
class Held:
    """Every total and every row by which persons are counted; totals that are 0 are no totals."""

    cells: Rows
    purchases: Rows
    people: Rows
    activity: Rows

    def unlike(self, other: "Held") -> int:
        """How many rows only one of the two has."""
        return sum(len(mine ^ vars(other)[name]) for name, mine in vars(self).items())


def in_memory(memory: Memory) -> Held:
    cells: Rows = {
        (cell.metric, cell.bucket, dims_id(cell.dims), cell.bin, *total)
        for cell, total in memory.cells.items()
    }
    return Held(
        cells,
        {(order, *bought) for order, bought in memory.purchases.items()},
        {(name, *astuple(row)) for name, row in memory.people.items()},
        set(memory.activity),
    )


async def in_database(engine: AsyncEngine) -> Held:
    async with engine.connect() as connection:
        found = [
            {tuple(row) for row in await connection.execute(query)}
            for query in (_CELLS, _PURCHASES, _PEOPLE, _ACTIVITY)
        ]
    return Held(*found)
