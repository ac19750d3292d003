"""Lets these tests use real servers."""

import pytest
from rapport_cli.stack.broker import Broker
from rapport_runtime.settings import Settings

from tests.chaos.fleet import chaos_settings
from tests.support.fixtures import (
    MakeDatabase,
    _skip_what_this_machine_lacks,
    broker,
    database,
    new_database,
    own_broker,
    own_postgres,
    postgres,
    topic,
)
from tests.support.toy import prepare

__all__ = [
    "_skip_what_this_machine_lacks",
    "broker",
    "database",
    "new_database",
    "own_broker",
    "own_postgres",
    "postgres",
    "topic",
]


@pytest.fixture
async def chaos(broker: Broker, new_database: MakeDatabase) -> Settings:
    """The shared broker, and a database with the toy's tables."""
    return chaos_settings(broker, await new_database(prepare))
