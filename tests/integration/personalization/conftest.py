"""A personalization service with databases of its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from rapport_cli.stack.broker import Broker

from tests.support.events import NOON
from tests.support.fixtures import MakeDatabase, MakeTopic, topics_on
from tests.support.personalization_house import Callers, Databases, House, open_house
from tests.support.servers import open_test_broker, own_broker_choice

Open = Callable[..., AbstractAsyncContextManager[House]]
"""Takes settings of the service."""


@pytest.fixture(scope="package")
async def broker() -> AsyncIterator[Broker]:
    """Of these tests alone: their workers read all that everybody has told since it began."""
    async with open_test_broker(own_broker_choice()) as running:
        yield running


@pytest.fixture(scope="package")
def topic(broker: Broker) -> MakeTopic:
    return topics_on(broker)


@pytest.fixture(scope="session")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Callers:
    return Callers.make(tmp_path_factory.mktemp("personalization-keys"))


@pytest.fixture
async def house(new_database: MakeDatabase, callers: Callers) -> AsyncIterator[House]:
    """With the catalogue, live for long, and nobody held out or asleep."""
    policies = {"control": 0, "quiet_from": "00:00", "quiet_until": "00:00"}
    async with open_house(await Databases.make(new_database), callers, policies=policies) as opened:
        await opened.install(since=NOON - timedelta(days=3_650))
        yield opened


@pytest.fixture
async def opened(new_database: MakeDatabase, callers: Callers) -> Open:
    """Opens a service with other settings."""

    @asynccontextmanager
    async def open_one(**more: Any) -> AsyncIterator[House]:  # noqa: ANN401 - settings of any kind
        async with open_house(await Databases.make(new_database), callers, **more) as house:
            yield house

    return open_one
