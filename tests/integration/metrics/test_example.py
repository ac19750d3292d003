"""The worked example through the database and the HTTP API: every number, to the last digit."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import pytest

from tests.support.kpi_answers import differences
from tests.support.kpi_example import IS_PRESENT, expected, happenings, lines
from tests.support.kpi_records import records
from tests.support.metrics_house import House

pytestmark = pytest.mark.skipif(not IS_PRESENT, reason="the worked example is not here")

SEED = 11


async def wrong(house: House) -> list[str]:
    async def ask(kpi: str, query: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        answer = await house.client.get(
            f"/v1/kpis/{kpi}",
            params=dict(query),
            headers={"authorization": f"Bearer {house.callers.keys['analyst']}"},
        )
        assert answer.status_code == 200, answer.text
        series: Sequence[Mapping[str, Any]] = answer.json()["series"]
        return series

    return await differences(ask, expected())


async def test_the_example_in_its_order_is_exact(house: House) -> None:
    await house.tell(records(happenings(lines())))

    assert await wrong(house) == []


async def test_the_example_told_twice_and_in_any_order_is_exact(house: House) -> None:
    told = list(records(happenings(lines())))
    twice = [*told, *told]
    Random(SEED).shuffle(twice)

    await house.tell(twice, batch=700)

    assert await wrong(house) == []
