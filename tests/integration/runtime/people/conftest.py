"""A database with nothing but the people's tables."""

from collections.abc import AsyncIterator
from typing import Final

import pytest
from rapport_runtime.people.tables import people_tables
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from tests.support.fixtures import MakeDatabase

METADATA: Final = MetaData()
people_tables(METADATA)


async def prepare(url: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    await engine.dispose()


@pytest.fixture
async def engine(new_database: MakeDatabase) -> AsyncIterator[AsyncEngine]:
    made = create_async_engine(await new_database(prepare))
    yield made
    await made.dispose()
