"""What a rebuild compares does not depend on how events came in."""

from random import Random

import pytest
from rapport_metrics.projection import projection
from rapport_metrics.settings import MetricsSettings
from rapport_runtime.rebuild.digests import compare

from tests.support.fixtures import MakeDatabase
from tests.support.kpi_example import IS_PRESENT, happenings, lines
from tests.support.kpi_records import records
from tests.support.metrics_house import Callers, House, open_house, prepare_metrics

SEED = 5


@pytest.mark.skipif(not IS_PRESENT, reason="the worked example is not here")
async def test_rows_are_the_same_whatever_the_order_and_the_batches(
    house: House, new_database: MakeDatabase, callers: Callers
) -> None:
    told = list(records(happenings(lines())))
    shuffled = Random(SEED).sample(told, len(told))
    settings = house.resources.settings
    assert isinstance(settings, MetricsSettings)
    await house.tell(told, batch=5_000)
    async with open_house(await new_database(prepare_metrics), callers) as other:
        await other.tell(shuffled, batch=150)
        async with (
            house.resources.engine.connect() as here,
            other.resources.engine.connect() as there,
        ):
            found = await compare(here, there, projection(settings).parts)

    assert found.listed == []
    assert found.keys["total"] > 1_000
