"""Agents follow a customer live."""

from collections.abc import AsyncIterator

import pytest
from rapport_privacy.migrations import migrate as migrate_keyring

from tests.support.events import NOON, days
from tests.support.fixtures import MakeDatabase
from tests.support.live_house import (
    LiveHouse,
    Screen,
    following,
    open_live_house,
    until,
)
from tests.support.privacy import a_name
from tests.support.profile_house import Secrets, prepare_profile
from tests.support.sealed import told


@pytest.fixture
async def live(new_database: MakeDatabase, secrets: Secrets) -> AsyncIterator[LiveHouse]:
    urls = await new_database(prepare_profile), await new_database(migrate_keyring)
    async with open_live_house(*urls, secrets) as house:
        yield house


async def test_hello_is_the_customer_as_they_are_now(live: LiveHouse) -> None:
    who = {"user_id": a_name()}
    ref = f"user_id:{who['user_id']}"
    await live.tell(await told(live.keyring, who, "order.placed", order="O-1"))

    async with following(live, ref, query="?include=orders,identities") as events:
        hello = await until(events, "hello")
    shown = await live.read(f"/v1/profiles/{ref}?include=orders,identities")

    assert hello.data == {"event": "hello", "resumed": False, "profile": shown}
    assert hello.id


async def test_a_change_is_told_with_its_entry_and_the_parts_that_changed(
    live: LiveHouse,
) -> None:
    who = {"user_id": a_name()}
    ref = f"user_id:{who['user_id']}"
    await live.tell(await told(live.keyring, who, "order.placed", order="O-1"))
    screen = Screen()

    async with following(live, ref, screen) as events:
        await until(events, "hello")
        placed = await told(live.keyring, who, "order.placed", NOON + days(1), order="O-2")
        await live.tell(placed)
        change = await until(events, "change")

    assert [entry["key"] for entry in change.data["entries"]] == [placed.key.hex()]
    assert "orders" in change.data["profile"]
    assert "consents" not in change.data["profile"]
    assert (screen.view, screen.doubles) == (await shown(live, ref), [])


async def shown(live: LiveHouse, ref: str) -> dict[str, object]:
    found = await live.read(f"/v1/profiles/{ref}")
    del found["meta"]
    return found
