"""A feedback service with databases of its own, asked over HTTP and told events directly."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import pytest
from playwright.async_api import Browser
from rapport_privacy.migrations import migrate as migrate_keyring

from tests.support.feedback_house import (
    House,
    Secrets,
    open_house,
    prepare_feedback,
    settings_of,
)
from tests.support.fixtures import MakeDatabase
from tests.support.survey_server import Served, open_browser, served


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


@pytest.fixture(scope="module")
async def api(
    new_database: MakeDatabase, secrets: Secrets, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Served]:
    databases = await new_database(prepare_feedback), await new_database(migrate_keyring)
    async with served(databases, secrets, tmp_path_factory.mktemp("api") / "log") as api:
        yield api


@pytest.fixture(scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    async with open_browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser
