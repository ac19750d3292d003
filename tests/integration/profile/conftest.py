"""A profile service with databases of its own, asked over HTTP and told events directly."""

from collections.abc import AsyncIterator

import pytest
from rapport_privacy.migrations import migrate as migrate_keyring

from tests.support.fixtures import MakeDatabase
from tests.support.profile_house import House, Secrets, open_house, prepare_profile


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Secrets:
    return Secrets.make(tmp_path_factory.mktemp("keys"))


@pytest.fixture
async def house(new_database: MakeDatabase, secrets: Secrets) -> AsyncIterator[House]:
    """The running service, and everything a test needs to talk to it."""
    urls = await new_database(prepare_profile), await new_database(migrate_keyring)
    async with open_house(*urls, secrets) as opened:
        yield opened
