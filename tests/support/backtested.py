"""Back-tests that are run to their end."""

from datetime import datetime

from rapport_personalization import backtests
from rapport_personalization.backtester import work_off

from tests.support.personalization_house import House, Row


async def backtested(
    house: House,
    trigger: str,
    start: datetime,
    end: datetime,
    *,
    version: int = 1,
    share: float = 1,
) -> Row:
    """A back-test, to its end."""
    async with house.engine.begin() as tx:
        task = await backtests.add(tx, trigger, version, (start, end), share, "tests")
    await work_off(house.settings)
    (row,) = await house.rows("SELECT * FROM backtest WHERE id = CAST(:id AS uuid)", id=task.id)
    assert row["state"] == "done"
    return row
