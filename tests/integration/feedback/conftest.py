"""A feedback service with databases of its own, asked over HTTP and told events directly."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import pytest
from rapport_privacy.migrations import migrate as migrate_keyring

from tests.support.feedback_house import (
    House,
    Secrets,
    open_house,
    prepare_feedback,
    settings_of,
)
from tests.support.fixtures import MakeDatabase


class Open(Protocol):
    def __call__(self, **settings: object) -> AbstractAsyncContextManager[House]: ...


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Secrets:
    return Secrets.make(tmp_path_factory.mktemp("feedback-keys"))


@pytest.fixture
async def opened(new_database: MakeDatabase, secrets: Secrets) -> Open:
    """Opens a service with other settings."""
    databases = await new_database(prepare_feedback), await new_database(migrate_keyring)

    @asynccontextmanager
    async def open_one(**settings: object) -> AsyncIterator[House]:
        async with open_house(settings_of(databases, secrets, None, **settings), secrets) as house:
            yield house

    return open_one


@pytest.fixture
async def house(opened: Open) -> AsyncIterator[House]:
    async with opened() as house:
        yield house
