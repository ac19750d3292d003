"""A profile service with databases of its own, asked over HTTP and told events directly."""

import random
from collections.abc import AsyncIterator

import pytest
from rapport_privacy.migrations import migrate as migrate_keyring
from rapport_runtime.subscription import Resources
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.support.fixtures import MakeDatabase
from tests.support.live_house import LiveHouse, open_live_house
from tests.support.profile_house import House, Secrets, open_house, prepare_profile
from tests.support.rebuilding import Log, Shop, open_shop
from tests.support.servers import open_test_broker, own_broker_choice
from tests.support.stages import a_worker


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Secrets:
    return Secrets.make(tmp_path_factory.mktemp("keys"))


@pytest.fixture
async def house(new_database: MakeDatabase, secrets: Secrets) -> AsyncIterator[House]:
    """The running service, and everything a test needs to talk to it."""
    urls = await new_database(prepare_profile), await new_database(migrate_keyring)
    async with open_house(*urls, secrets) as opened:
        yield opened


@pytest.fixture(scope="session")
async def log() -> AsyncIterator[Log]:
    """The topics of the profile service, under their own names: on a broker that has only them."""
    async with open_test_broker(own_broker_choice()) as broker:
        yield await Log.make(broker)


@pytest.fixture
async def busy_shop(log: Log, new_database: MakeDatabase, secrets: Secrets) -> AsyncIterator[Shop]:
    """A shop with some hundred events in it, projected."""
    urls = await new_database(prepare_profile), await new_database(migrate_keyring)
    async with open_shop(log, *urls, secrets) as shop:
        await log.tell_crowd(400, 100, seed=random.randrange(1 << 30))
        await shop.project()
        yield shop


@pytest.fixture
async def live(new_database: MakeDatabase, secrets: Secrets) -> AsyncIterator[LiveHouse]:
    """The same on a port of its own, for answers that do not end."""
    urls = await new_database(prepare_profile), await new_database(migrate_keyring)
    async with open_live_house(*urls, secrets) as opened:
        yield opened


@pytest.fixture
async def engine(new_database: MakeDatabase) -> AsyncIterator[AsyncEngine]:
    """A database of the profile service, and nothing else of it."""
    engine = create_async_engine(await new_database(prepare_profile))
    yield engine
    await engine.dispose()


@pytest.fixture
async def worker(new_database: MakeDatabase, secrets: Secrets) -> AsyncIterator[Resources]:
    """What a worker has, on a database of its own."""
    async with a_worker(await new_database(prepare_profile), secrets) as resources:
        yield resources
