"""A metrics service with a database of its own, asked over HTTP and told events directly."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from tests.support.fixtures import MakeDatabase
from tests.support.metrics_house import Callers, House, open_house, prepare_metrics

Open = Callable[..., AbstractAsyncContextManager[House]]
"""Takes settings of the definitions."""


@pytest.fixture(scope="session")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Callers:
    return Callers.make(tmp_path_factory.mktemp("metrics-keys"))


@pytest.fixture
async def house(new_database: MakeDatabase, callers: Callers) -> AsyncIterator[House]:
    async with open_house(await new_database(prepare_metrics), callers) as opened:
        yield opened


@pytest.fixture
async def opened(new_database: MakeDatabase, callers: Callers) -> Open:
    """Opens a service with other settings."""

    @asynccontextmanager
    async def open_one(**kpi: Any) -> AsyncIterator[House]:  # noqa: ANN401 - settings of any kind
        async with open_house(await new_database(prepare_metrics), callers, **kpi) as house:
            yield house

    return open_one
