"""Fixtures over real servers. Only the conftest files of tests that need them import this."""

from collections.abc import AsyncIterator
from typing import Protocol
from uuid import uuid4

import pytest
from rapport_cli.stack.broker import Broker
from rapport_cli.stack.postgres import Postgres
from rapport_cli.stack.topics import create_topics

from tests.support.servers import (
    broker_choice,
    engine_answers,
    open_test_broker,
    open_test_postgres,
    own_broker_choice,
)


class MakeTopic(Protocol):
    async def __call__(self, partitions: int = 4) -> str: ...


class Prepare(Protocol):
    async def __call__(self, url: str) -> object: ...


class MakeDatabase(Protocol):
    async def __call__(self, prepare: Prepare | None = None) -> str: ...


@pytest.fixture(autouse=True)
def _skip_what_this_machine_lacks(request: pytest.FixtureRequest) -> None:
    """Says why a test that is marked `apache` or `docker` cannot run here."""
    if request.node.get_closest_marker("apache") and broker_choice() == "embedded":
        pytest.skip(
            "needs a real Apache Kafka: install Java 17 and Maven, or set RAPPORT_TEST_KAFKA"
        )
    if request.node.get_closest_marker("docker") and not engine_answers():
        pytest.skip("needs a Docker engine")


@pytest.fixture(scope="session")
async def broker() -> AsyncIterator[Broker]:
    """The broker that tests share: make topics of your own, and leave it running."""
    async with open_test_broker(broker_choice()) as running:
        yield running


@pytest.fixture
async def own_broker() -> AsyncIterator[Broker]:
    """A broker of this test alone, to be paused, killed and started again."""
    async with open_test_broker(own_broker_choice()) as running:
        yield running


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[Postgres]:
    """The PostgreSQL server that tests share."""
    async with open_test_postgres() as server:
        yield server


@pytest.fixture
async def own_postgres() -> AsyncIterator[Postgres]:
    """A PostgreSQL server of this test alone, to be paused, killed and started again."""
    async with open_test_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def new_database(postgres: Postgres) -> MakeDatabase:
    """Makes databases: empty, or copied from a template that `prepare(url)` filled once."""
    templates: dict[Prepare, str] = {}

    async def make(prepare: Prepare | None = None) -> str:
        if prepare is None:
            return await postgres.create_database(_unique("test"))
        if prepare not in templates:
            name = _unique("template")
            await prepare(await postgres.create_database(name))
            templates[prepare] = name
        return await postgres.create_database(_unique("test"), templates[prepare])

    return make


@pytest.fixture
async def database(new_database: MakeDatabase) -> str:
    """The URL of a fresh, empty database."""
    return await new_database()


@pytest.fixture(scope="session")
def topic(broker: Broker) -> MakeTopic:
    """Makes a topic with a name of its own on the shared broker, and returns the name."""
    return topics_on(broker)


def topics_on(broker: Broker) -> MakeTopic:
    async def make(partitions: int = 4) -> str:
        name = _unique("test")
        await create_topics(broker.bootstrap, [name], partitions=partitions)
        return name

    return make


def _unique(prefix: str) -> str:
    return f"{prefix}_{uuid4().hex[:16]}"
