"""A stream whose connection dies again and again: the screen shows what the server has."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx2
import msgspec
from rapport_events.envelope import Record
from rapport_profile.consumer import SUBSCRIPTION

from tests.support.events import NOON, days, happened
from tests.support.live_house import (
    LiveHouse,
    Screen,
    following,
    whole_timeline,
)
from tests.support.privacy import a_name, resolved
from tests.support.sealed import told
from tests.support.tearing_proxy import TearingProxy, tearing_proxy

SEED = 20261122
KILLS = 200
ENOUGH = KILLS / 4
"""Changes that were seen meanwhile, or little would be proven."""
PARTITIONS = 4


@dataclass
class Life:
    """What happens to one person, who is several subjects, on several partitions."""

    house: LiveHouse
    chance: random.Random
    user: dict[str, str] = field(default_factory=lambda: {"user_id": a_name()})
    offsets: list[int] = field(default_factory=lambda: [0] * PARTITIONS)
    merges: list[str] = field(default_factory=list)
    parked: list[Record] = field(default_factory=list)
    count: int = 0

    @property
    def ref(self) -> str:
        return f"user_id:{self.user['user_id']}"

    async def go_on(self) -> None:
        """One batch of the worker."""
        self.count += 1
        what_happens = self.chance.choices(
            [self._use, self._sign_in, self._be_merged, self._be_parted, self._park, self._redrive],
            [20, 1, 1, 1, 1, 1],
        )[0]
        await what_happens()

    async def _use(self) -> None:
        await self.house.tell(*[await self._placed() for _ in range(self.chance.randint(1, 4))])

    async def _placed(self) -> Record:
        self.count += 1
        if self.chance.random() < 0.8:
            return await self._told(self.user, "page.viewed")
        return await self._told(self.user, "order.placed", order=f"O-{self.count}")

    async def _sign_in(self) -> None:
        """A visitor with a history of their own turns out to be the user."""
        visitor = await self._visitor()
        await self.house.tell(await self._told(self.user | visitor, "session.signed_in"))

    async def _be_merged(self) -> None:
        """An agent says so."""
        visitor = await self._visitor()
        user, other = [
            (await resolved(self.house.keyring, **who)).subject for who in (self.user, visitor)
        ]
        self.merges.append(f"m-{self.count}")
        await self.house.tell(
            self._in_log(
                happened(
                    "customer.merged", user, self._time(), event_id=self.merges[-1],
                    from_subject=other,
                )
            )
        )  # fmt: skip

    async def _be_parted(self) -> None:
        if self.merges:
            merge = self.merges.pop(self.chance.randrange(len(self.merges)))
            user = (await resolved(self.house.keyring, **self.user)).subject
            await self.house.tell(
                self._in_log(
                    happened("customer.unmerged", user, self._time(), merge_event_id=merge)
                )
            )

    async def _park(self) -> None:
        self.parked.append(await self._placed())

    async def _redrive(self) -> None:
        """An event is applied long after those behind it."""
        if self.parked:
            async with self.house.resources.engine.begin() as tx:
                await SUBSCRIPTION.apply(tx, [self.parked.pop(0)])

    async def _visitor(self) -> dict[str, str]:
        visitor = {"anonymous_id": a_name()}
        views = self.chance.choice((1, 5, 20, 120))
        await self.house.tell(*[await self._told(visitor, "page.viewed") for _ in range(views)])
        return visitor

    async def _told(self, who: dict[str, str], type_: str, order: str | None = None) -> Record:
        fields: dict[str, Any] = {} if order is None else {"order": order}
        return self._in_log(await told(self.house.keyring, who, type_, self._time(), **fields))

    def _time(self) -> datetime:
        # Some are late, so that the past is folded anew.
        return NOON + days(self.chance.choice((self.count, self.count, self.count - 30)))

    def _in_log(self, record: Record) -> Record:
        """Where the partitioner would put it: by the subject."""
        partition = int((record.envelope.subject or "0")[:8], 16) % PARTITIONS
        offset = self.offsets[partition]
        self.offsets[partition] += self.chance.choice((1, 1, 1, 3))
        return msgspec.structs.replace(record, partition=partition, offset=offset)


async def watch_and_die(
    life: Life, screen: Screen, proxy: TearingProxy, chance: random.Random, longest: float
) -> None:
    """One connection: the client hangs up, or somebody on the way tears it mid-message."""
    hangs_up = chance.random() < 0.5
    proxy.tear_after = None if hangs_up else int(1_000 * 100 ** chance.random())
    left = chance.randint(0, 4) if hangs_up else 10_000
    seconds = chance.uniform(0.0, longest)
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


async def test_killed_200_times_a_screen_misses_nothing_and_gets_nothing_twice(
    live: LiveHouse,
) -> None:
    chance = random.Random(SEED)
    life, screen = Life(live, chance), Screen()
    await life._use()
    screen.entries = await whole_timeline(live, life.ref)
    deaths, began = 0, time.monotonic()

    def is_over() -> bool:
        return deaths >= KILLS and len(changes_of(screen)) > ENOUGH

    async def live_on() -> None:
        while not is_over():
            await life.go_on()
            await asyncio.sleep(chance.uniform(0.0, 0.1))

    living = asyncio.create_task(live_on())
    async with asyncio.timeout(200), tearing_proxy(live.port) as proxy:
        while not is_over():
            # Where a connection saw nothing in so short a life, some more live longer.
            longest = 0.6 if deaths < KILLS else 3.0
            await watch_and_die(life, screen, proxy, chance, longest)
            deaths += 1
        await living
        torn = proxy.torn
    await catch_up(life, screen)

    took = time.monotonic() - began
    changes = changes_of(screen)
    print(  # noqa: T201
        f"\nstream: seed={SEED} kills={deaths} torn={torn} changes={len(changes)} "
        f"anew={sum(map(bool, (one['anew'] for one in changes)))} "
        f"events={life.count} {took:.1f} s"
    )
    assert len(changes) > ENOUGH
    assert screen.doubles == []
    assert screen.entries == await whole_timeline(live, life.ref)
    now = await live.read(f"/v1/profiles/{life.ref}")
    assert screen.view == {name: part for name, part in now.items() if name != "meta"}


def changes_of(screen: Screen) -> list[dict[str, Any]]:
    return [said.data for said in screen.said if said.event == "change"]


async def catch_up(life: Life, screen: Screen) -> None:
    """One last connection, until everything is there."""
    wanted = await whole_timeline(life.house, life.ref)
    async with asyncio.timeout(60), following(life.house, life.ref, screen) as events:
        async for _ in events:
            if screen.entries.keys() == wanted.keys():
                return
