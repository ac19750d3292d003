"""What the metrics service learns is what people are scored by in the personalization service."""

from datetime import timedelta
from pathlib import Path

import pytest
from rapport_personalization import models
from rapport_runtime.database import driver

from tests.support import metrics_house, personalization_house
from tests.support.buyers import BUYERS, MIDNIGHT, fit, shop, tell
from tests.support.events import record_of
from tests.support.fixtures import MakeDatabase
from tests.support.metrics_house import prepare_metrics
from tests.support.nights import kept, night
from tests.support.personalization_house import Databases

NIGHT = MIDNIGHT + timedelta(hours=2, minutes=30)


async def test_scores_add_up_to_the_forecast_of_whoever_fitted_the_models(
    new_database: MakeDatabase, tmp_path: Path
) -> None:
    bought = shop()
    callers = metrics_house.Callers.make(tmp_path / "metrics")
    async with metrics_house.open_house(await new_database(prepare_metrics), callers) as metrics:
        await tell(metrics, bought)
        forecast = (await fit(metrics))["forecast"]
        async with metrics.resources.engine.begin() as tx:
            rows = await (await driver(tx)).fetch("SELECT value FROM outbox ORDER BY id")
    said = [record_of(row["value"]) for row in rows]

    others = personalization_house.Callers.make(tmp_path / "personalization")
    databases = await Databases.make(new_database)
    async with personalization_house.open_house(databases, others) as house:
        await house.install(since=MIDNIGHT)
        await house.tell(record for records in bought.values() for record in records)
        async with house.engine.begin() as tx:
            await models.learn(tx, said)
        await night(house, NIGHT)
        scores = await kept(house)

    assert scores.keys() == bought.keys()
    assert forecast["buyers"] == BUYERS
    values = [clv for _, clv in scores.values() if clv is not None]
    assert sum(values) == pytest.approx(forecast["value"], abs=1)
    risks = [risk for risk, _ in scores.values()]
    tenths = [sum(int(risk * 10) == tenth for risk in risks) for tenth in range(10)]
    assert tenths == forecast["risks"]
