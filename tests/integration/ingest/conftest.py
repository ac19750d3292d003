"""Ingest with databases and topics of its own, on the shared servers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from rapport_cli.stack.broker import Broker
from rapport_privacy.migrations import migrate as migrate_keyring
from rapport_runtime.database import migrate

from tests.support.fixtures import MakeDatabase, MakeTopic
from tests.support.ingest_house import PARTITIONS, Ingest, Secrets, open_ingest, settings_of

MakeDatabases = Callable[[], Awaitable[tuple[str, str]]]


async def _migrate_ingest(url: str) -> None:
    await migrate("rapport_ingest", url)


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Secrets:
    return Secrets.make(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def databases(new_database: MakeDatabase) -> MakeDatabases:
    """Makes the two databases that ingest needs: its own, and a keyring."""

    async def make() -> tuple[str, str]:
        return await new_database(_migrate_ingest), await new_database(migrate_keyring)

    return make


@pytest.fixture(scope="session")
async def ingest(
    broker: Broker,
    topic: MakeTopic,
    databases: MakeDatabases,
    secrets: Secrets,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Ingest]:
    """The service that these tests share: name people and events of your own."""
    spool: Path = tmp_path_factory.mktemp("spool")
    topics = {name: await topic(PARTITIONS) for name in ("interactions", "inbound")}
    settings = settings_of(broker.bootstrap, await databases(), secrets, spool, topics=topics)
    async with open_ingest(settings, secrets) as running:
        yield running
