"""A sender's surroundings: a database, people, and transports."""

from collections.abc import AsyncIterator

import pytest

from tests.support.fixtures import MakeDatabase
from tests.support.sending import Office, open_office, prepare_sender


@pytest.fixture
async def office(new_database: MakeDatabase) -> AsyncIterator[Office]:
    async with open_office(await new_database(prepare_sender)) as opened:
        yield opened
