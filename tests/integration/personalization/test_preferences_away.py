"""While a database is away nothing is said to be saved, and nothing that was chosen is lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.support.personalization_house import Callers, Databases, House, open_house
from tests.support.preferences import Guest, change, filled, guest, heading


@pytest.fixture
async def ada(house: House) -> Guest:
    return await guest(house)


@asynccontextmanager
async def read_only(house: House) -> AsyncIterator[None]:
    """As after a failover: the database can be read, and not be written to."""
    url = urlsplit(house.settings.database.url.replace("+asyncpg", ""))
    switch = f"ALTER DATABASE {url.path.lstrip('/')} SET default_transaction_read_only = "
    connection = await asyncpg.connect(
        url.geturl(), server_settings={"default_transaction_read_only": "off"}
    )
    try:
        await connection.execute(f"{switch} on")
        await house.engine.dispose()
        yield
    finally:
        await connection.execute(f"{switch} off")
        await house.engine.dispose()
        await connection.close()


async def test_choices_that_cannot_be_saved_now_are_kept_on_the_page(ada: Guest) -> None:
    fields = filled(await ada.open())
    change(fields, "allow.marketing.email", "yes")
    change(fields, "quiet_from", "19:30")

    async with read_only(ada.house):
        refused, clicked = await ada.send(fields), await ada.send({"List-Unsubscribe": "One-Click"})

    kept = filled(refused)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert "We could not save your choices just now" in refused.text
    assert (kept["allow.marketing.email"], kept["quiet_from"]) == ("yes", "19:30")
    # A mail program tries again.
    assert clicked.status_code == 503
    assert await ada.told() == []
    assert (await ada.send(kept)).status_code == 200
    assert [type_ for type_, _ in await ada.told()] == ["consent.granted", "preference.changed"]


async def test_the_keyring_can_be_away_for_a_moment(ada: Guest, callers: Callers) -> None:
    async with open_house_again(ada.house, callers) as house:
        late = Guest(house, ada.subject, ada.path)
        house.keyring._pool.terminate()

        page, sent = await late.open(), await late.send({"do": "stop"})

        assert (page.status_code, heading(page)) == (503, "Please try again in a moment")
        assert (sent.status_code, page.headers["retry-after"]) == (503, "1")
    assert (await ada.open()).status_code == 200


@asynccontextmanager
async def open_house_again(house: House, callers: Callers) -> AsyncIterator[House]:
    """A second process of the same service."""
    urls = Databases(house.settings.database.url, house.settings.keyring.url)
    async with open_house(urls, callers) as again:
        yield again
