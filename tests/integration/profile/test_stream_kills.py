"""A stream whose connection dies again and again: the screen shows what the server has."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime

import httpx2
import msgspec
import pytest
from rapport_events.envelope import Record
from rapport_privacy.migrations import migrate as migrate_keyring

from tests.support.events import NOON, days
from tests.support.fixtures import MakeDatabase
from tests.support.live_house import (
    LiveHouse,
    Screen,
    following,
    open_live_house,
    whole_timeline,
)
from tests.support.privacy import a_name, an_email
from tests.support.profile_house import Secrets, prepare_profile
from tests.support.sealed import told
from tests.support.tearing_proxy import TearingProxy, tearing_proxy

SEED = 20261122
KILLS = 200
PARTITIONS = 4


@pytest.fixture
async def live(new_database: MakeDatabase, secrets: Secrets) -> AsyncIterator[LiveHouse]:
    urls = await new_database(prepare_profile), await new_database(migrate_keyring)
    async with open_live_house(*urls, secrets) as house:
        yield house


@dataclass
class Life:
    """What happens to one person, who is several subjects, on several partitions."""

    house: LiveHouse
    chance: random.Random
    user: dict[str, str] = field(default_factory=lambda: {"user_id": a_name()})
    offsets: list[int] = field(default_factory=lambda: [0] * PARTITIONS)
    count: int = 0

    @property
    def ref(self) -> str:
        return f"user_id:{self.user['user_id']}"

    async def go_on(self) -> None:
        """One batch of the worker."""
        await self.house.tell(*[await self._event() for _ in range(self.chance.randint(1, 4))])

    async def _event(self) -> Record:
        self.count += 1
        kind = self.chance.random()
        if kind < 0.06:
            # A visitor with a history of their own turns out to be the user.
            visitor = {"anonymous_id": a_name()}
            viewed = [
                self._placed(await told(self.house.keyring, visitor, "page.viewed", self._time()))
                for _ in range(self.chance.randint(1, 150))
            ]
            await self.house.tell(*viewed)
            return await self._told(self.user | visitor, "session.signed_in")
        if kind < 0.1:
            return await self._told(self.user | {"email": an_email()}, "page.viewed")
        if kind < 0.5:
            return await self._told(self.user, "order.placed", order=f"O-{self.count}")
        return await self._told(self.user, "page.viewed")

    async def _told(self, who: dict[str, str], type_: str, order: str | None = None) -> Record:
        return self._placed(await told(self.house.keyring, who, type_, self._time(), order=order))

    def _time(self) -> datetime:
        # Some are late, so that the past is folded anew.
        return NOON + days(self.chance.choice((self.count, self.count, self.count - 30)))

    def _placed(self, record: Record) -> Record:
        """Where the partitioner would put it: by the subject."""
        partition = int((record.envelope.subject or "0")[:8], 16) % PARTITIONS
        offset = self.offsets[partition]
        self.offsets[partition] += self.chance.choice((1, 1, 1, 3))
        return msgspec.structs.replace(record, partition=partition, offset=offset)


async def watch_and_die(
    life: Life, screen: Screen, proxy: TearingProxy, chance: random.Random
) -> None:
    """One connection: the client hangs up, or somebody on the way tears it mid-message."""
    hangs_up = chance.random() < 0.5
    proxy.tear_after = None if hangs_up else chance.randint(100, 30_000)
    left = chance.randint(0, 4) if hangs_up else 10_000
    seconds = chance.uniform(0.01, 0.25)
    try:
        async with (
            asyncio.timeout(seconds),
            following(life.house, life.ref, screen, port=proxy.port) as events,
        ):
            async for _ in events:
                left -= 1
                if left < 0:
                    return
    except (httpx2.TransportError, TimeoutError):
        return


@pytest.mark.slow
async def test_killed_200_times_a_screen_misses_nothing_and_gets_nothing_twice(
    live: LiveHouse,
) -> None:
    chance = random.Random(SEED)
    life, screen = Life(live, chance), Screen()
    await life.go_on()
    await live.tell(await life._told(life.user, "order.placed", order="O-0"))
    screen.entries = await whole_timeline(live, life.ref)
    deaths, began = 0, time.monotonic()

    async def live_on() -> None:
        while deaths < KILLS:
            await life.go_on()
            await asyncio.sleep(0.01)

    living = asyncio.create_task(live_on())
    async with tearing_proxy(live.port) as proxy:
        while deaths < KILLS:
            await watch_and_die(life, screen, proxy, chance)
            deaths += 1
        await living
        torn = proxy.torn
    await catch_up(life, screen)

    took = time.monotonic() - began
    print(f"\nstream: seed={SEED} kills={deaths} torn={torn} events={life.count} {took:.1f} s")  # noqa: T201
    assert screen.doubles == []
    assert screen.entries == await whole_timeline(live, life.ref)
    now = await live.read(f"/v1/profiles/{life.ref}")
    assert screen.view == {name: part for name, part in now.items() if name != "meta"}


async def catch_up(life: Life, screen: Screen) -> None:
    """One last connection, until everything is there."""
    wanted = await whole_timeline(life.house, life.ref)
    async with asyncio.timeout(20), following(life.house, life.ref, screen) as events:
        async for _ in events:
            if screen.entries.keys() >= wanted.keys():
                return
