"""What streams do when something around them fails, ends, or is too much."""

import asyncio
import time
from collections.abc import Callable

import httpx2
import pytest
from rapport_cli.stack.postgres import Postgres
from rapport_privacy.migrations import migrate as migrate_keyring
from rapport_profile.live import Hub
from rapport_profile.settings import LiveSettings
from rapport_runtime.http.keyfile import add_key, revoke_key

from tests.support.fixtures import MakeDatabase
from tests.support.live_house import (
    LiveHouse,
    Screen,
    following,
    open_live_house,
    until,
    whole_timeline,
)
from tests.support.privacy import a_name
from tests.support.profile_house import Secrets, prepare_profile
from tests.support.sealed import told


async def a_customer(live: LiveHouse) -> tuple[dict[str, str], str]:
    who = {"user_id": a_name()}
    await live.tell(await told(live.keyring, who, "order.placed", order="O-1"))
    return who, f"user_id:{who['user_id']}"


async def test_a_quiet_stream_beats(new_database: MakeDatabase, secrets: Secrets) -> None:
    urls = await new_database(prepare_profile), await new_database(migrate_keyring)
    quick = LiveSettings(heartbeat_seconds=0.2, safety_seconds=30)
    async with open_live_house(*urls, secrets, quick) as live:
        _, ref = await a_customer(live)
        async with following(live, ref) as events:
            await until(events, "hello")

            beats = [await anext(events) for _ in range(3)]

    assert beats == ["heartbeat"] * 3


@pytest.mark.parametrize("is_checked", [True, False])
async def test_a_lost_notification_delays_a_change_and_loses_nothing(
    new_database: MakeDatabase,
    secrets: Secrets,
    monkeypatch: pytest.MonkeyPatch,
    is_checked: bool,  # noqa: FBT001
) -> None:
    """Without the check it is lost: so this test would see it."""
    monkeypatch.setattr(Hub, "_hear", lambda *_: None)
    urls = await new_database(prepare_profile), await new_database(migrate_keyring)
    deaf = LiveSettings(safety_seconds=0.3 if is_checked else 1_000, heartbeat_seconds=0.5)
    async with open_live_house(*urls, secrets, deaf) as live:
        who, ref = await a_customer(live)
        async with following(live, ref) as events:
            await until(events, "hello")
            assert await anext(events) == "heartbeat"  # it has nothing more to look at

            await live.tell(await told(live.keyring, who, "page.viewed"))
            if is_checked:
                await until(events, "change")
            else:
                assert [await anext(events) for _ in range(3)] == ["heartbeat"] * 3


async def test_a_database_that_was_restarted_costs_no_change(
    own_postgres: Postgres, new_database: MakeDatabase, secrets: Secrets
) -> None:
    database = await own_postgres.create_database("rapport_profile")
    await prepare_profile(database)
    async with open_live_house(database, await new_database(migrate_keyring), secrets) as live:
        who, ref = await a_customer(live)
        screen = Screen()
        screen.entries = await whole_timeline(live, ref)
        watching = asyncio.create_task(keep_watching(live, ref, screen))
        await seen(watching, lambda: bool(screen.said))

        own_postgres.kill9()
        await own_postgres.start()
        await live.tell(await told(live.keyring, who, "page.viewed"))
        await seen(watching, lambda: len(screen.entries) == 2)
        await live.tell(await told(live.keyring, who, "page.viewed"))
        await seen(watching, lambda: len(screen.entries) == 3)
        watching.cancel()

    assert screen.doubles == []


async def keep_watching(live: LiveHouse, ref: str, screen: Screen) -> None:
    """As agents' frontends do: whatever happens, once more."""
    while True:
        try:
            async with following(live, ref, screen) as events:
                async for _ in events:
                    pass
        except (AssertionError, httpx2.TransportError):
            await asyncio.sleep(0.05)


async def seen(watching: "asyncio.Task[None]", is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():
            assert not watching.done()
            await asyncio.sleep(0.01)


async def test_streams_end_at_once_when_the_server_is_stopped(live: LiveHouse) -> None:
    _, ref = await a_customer(live)

    async with following(live, ref) as events:
        await until(events, "hello")
        began = time.monotonic()
        live.stop.set()
        end = await until(events, "end")
        assert live.serving is not None
        await live.serving

    assert (end.data["code"], end.data["resume"]) == ("server_stopping", True)
    assert end.retry is not None
    # Uvicorn would cut them off after ten seconds.
    assert time.monotonic() - began < 9


async def test_a_revoked_key_sees_nothing_more_within_seconds(live: LiveHouse) -> None:
    _, ref = await a_customer(live)
    path = live.secrets.keys_file
    key, stored = add_key(path, a_name(), ["profile:read"])
    live.secrets.keys["leaver"] = key
    await refused_no_more(live, ref, "leaver")

    async with following(live, ref, caller="leaver") as events:
        await until(events, "hello")
        revoke_key(path, stored.id)
        end = await until(events, "end")

    assert (end.data["code"], end.data["resume"]) == ("key_ended", False)


async def refused_no_more(live: LiveHouse, ref: str, caller: str) -> None:
    """A new key is known within two seconds, and a stream that ended frees its seat soon."""
    async with asyncio.timeout(60):
        while True:
            try:
                async with following(live, ref, caller=caller) as events:
                    await until(events, "hello")
            except AssertionError:
                await asyncio.sleep(0.05)
            else:
                return


async def test_there_are_no_more_streams_than_allowed(
    new_database: MakeDatabase, secrets: Secrets
) -> None:
    urls = await new_database(prepare_profile), await new_database(migrate_keyring)
    async with open_live_house(*urls, secrets, LiveSettings(streams=2, streams_per_key=1)) as live:
        _, ref = await a_customer(live)
        async with following(live, ref) as first:
            await until(first, "hello")
            of_key = await live.get(live.path(ref))
            async with following(live, ref, caller="masked") as second:
                await until(second, "hello")
                of_all = await live.get(live.path(ref), "everything")
        await refused_no_more(live, ref, "agent")

    assert (of_key.status_code, of_key.json()["code"]) == (429, "too_many_streams_of_key")
    assert (of_all.status_code, of_all.json()["code"]) == (503, "too_many_streams")
    assert of_all.headers["retry-after"]


async def test_a_client_that_reads_too_slowly_is_told_to_resume(
    new_database: MakeDatabase, secrets: Secrets
) -> None:
    urls = await new_database(prepare_profile), await new_database(migrate_keyring)
    async with open_live_house(*urls, secrets, LiveSettings(slow_seconds=0.5)) as live:
        who, ref = await a_customer(live)
        screen, hub = Screen(), live.app.state.hub
        screen.entries = await whole_timeline(live, ref)
        async with following(live, ref, screen) as events:
            await until(events, "hello")
            long = {"properties": {"text": "x" * 60_000}}
            await live.tell(
                *[await told(live.keyring, who, "page.viewed", personal=long) for _ in range(400)]
            )
            # More than all buffers on the way hold, so it is waiting for us.
            await is_still(lambda: hub.changes._value.get(), 3.0)
            end = await until(events, "end")
        held_back = 401 - len(screen.entries)
        # Where there is little processor time, we may be too slow once more.
        watching = asyncio.create_task(keep_watching(live, ref, screen))
        await seen(watching, lambda: len(screen.entries) == 401)
        watching.cancel()

    assert (end.data["code"], end.data["resume"]) == ("slow_client", True)
    assert held_back > 0
    assert screen.doubles == []


async def is_still(number: Callable[[], float], seconds: float) -> None:
    """Returns once the number is not 0 and has not moved for so long."""
    last, since = number(), time.monotonic()
    while last == 0 or time.monotonic() - since < seconds:
        await asyncio.sleep(0.05)
        if number() != last:
            last, since = number(), time.monotonic()
