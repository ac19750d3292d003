"""A house with a privacy desk, on a broker of its own: its topics have the real names."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.desk_house import DeskHouse, make_databases, make_topics, open_desk_house
from tests.support.fixtures import MakeDatabase
from tests.support.ingest_house import Secrets
from tests.support.servers import open_test_broker


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Secrets:
    return Secrets.make(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
async def house(
    new_database: MakeDatabase, secrets: Secrets, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[DeskHouse]:
    """The house that the tests of a module share: name people of your own."""
    async with another_house(new_database, secrets, tmp_path_factory.mktemp("spool")) as opened:
        yield opened


@asynccontextmanager
async def another_house(
    new_database: MakeDatabase, secrets: Secrets, spool: Path
) -> AsyncIterator[DeskHouse]:
    """A house that shares nothing with the others but its callers' keys."""
    async with open_test_broker("embedded") as broker:
        await make_topics(broker)
        databases = await make_databases(new_database)
        async with open_desk_house(broker, databases, secrets, spool) as opened:
            yield opened
