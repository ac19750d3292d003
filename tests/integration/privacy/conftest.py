"""A keyring's database of its own for each test, and keyrings that are closed behind it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Protocol, TypedDict, Unpack

import pytest
from rapport_privacy import database, remembering
from rapport_privacy.crypto import MasterKey
from rapport_privacy.keyring import Keyring, LedgerHead
from rapport_privacy.migrations import migrate

from tests.support.fixtures import MakeDatabase
from tests.support.privacy import a_master_key


class Options(TypedDict, total=False):
    cache_seconds: float
    cache_size: int
    at_least: LedgerHead
    clock: Callable[[], float]
    now: Callable[[], datetime]


class OpenKeyring(Protocol):
    async def __call__(self, **options: Unpack[Options]) -> Keyring: ...


@pytest.fixture(scope="session")
def master() -> MasterKey:
    return a_master_key()


@pytest.fixture
async def keyring_url(new_database: MakeDatabase) -> str:
    """A migrated, empty keyring database."""
    return await new_database(migrate)


@pytest.fixture
async def open_keyring(keyring_url: str, master: MasterKey) -> AsyncIterator[OpenKeyring]:
    """Opens keyrings on `keyring_url`, as services would that run side by side."""
    async with AsyncExitStack() as stack:

        async def open_one(**options: Unpack[Options]) -> Keyring:
            keyring = await Keyring.open(keyring_url, master, **options)
            stack.push_async_callback(keyring.close)
            return keyring

        yield open_one


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keyrings that wait: where many ask at once, a busy machine takes longer than two seconds."""
    monkeypatch.setattr(database, "SECONDS", 60.0)
    monkeypatch.setattr(remembering, "SECONDS", 60.0)


@pytest.fixture
async def keyring(open_keyring: OpenKeyring) -> Keyring:
    return await open_keyring()
