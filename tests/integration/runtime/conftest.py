"""One projector's surroundings: its database, its topic, and what it works with."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest
from rapport_cli.stack.broker import Broker
from rapport_events.envelope import Record
from rapport_runtime.database import create_engine
from rapport_runtime.settings import Settings
from rapport_runtime.subscription import Resources
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support import publish
from tests.support.fixtures import MakeDatabase, MakeTopic
from tests.support.publish import Positions
from tests.support.toy import effects, prepare, resources_for, settings_for


@dataclass(frozen=True)
class World:
    """A fresh topic and a fresh database."""

    topic: str
    settings: Settings
    engine: AsyncEngine
    resources: Resources

    async def publish(self, records: Sequence[Record]) -> Positions:
        return await publish.publish(self.settings.kafka.bootstrap, self.topic, records)

    async def publish_bytes(
        self, values: Sequence[bytes | None], partition: int | None = None
    ) -> Positions:
        # A record may lack its key or its value, not both.
        pairs = [(b"" if value is None else None, value) for value in values]
        bootstrap = self.settings.kafka.bootstrap
        return await publish.publish_bytes(bootstrap, self.topic, pairs, partition)

    async def effects(self, projector: str) -> dict[str, int]:
        return await effects(self.engine, projector)

    async def rows(self, query: str) -> list[tuple[object, ...]]:
        async with self.engine.begin() as connection:
            return [tuple(row) for row in await connection.execute(text(query))]


@pytest.fixture
async def world(
    broker: Broker, topic: MakeTopic, new_database: MakeDatabase
) -> AsyncIterator[World]:
    settings = settings_for(broker.bootstrap, await new_database(prepare))
    engine = create_engine(settings)
    yield World(await topic(), settings, engine, resources_for(settings, engine))
    await engine.dispose()
