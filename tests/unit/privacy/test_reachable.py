"""What of the keyring's database is waited for, and what is a bug."""

import asyncpg
import pytest
from rapport_privacy.database import reachable
from rapport_privacy.keyring import KeyringUnavailableError

AWAY = [
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
    asyncpg.AdminShutdownError("terminating connection"),
    ConnectionRefusedError(),
]
OURS = [
    asyncpg.InternalClientError("cannot switch to state 12; another operation (12) is in progress"),
    asyncpg.UndefinedTableError("x"),
]


async def meet(error: Exception) -> None:
    async with reachable():
        raise error


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
async def test_a_keyring_that_is_away_is_unavailable(error: Exception) -> None:
    with pytest.raises(KeyringUnavailableError):
        await meet(error)


@pytest.mark.parametrize("error", OURS, ids=lambda error: type(error).__name__)
async def test_a_bug_is_no_absence(error: Exception) -> None:
    with pytest.raises(type(error)):
        await meet(error)
