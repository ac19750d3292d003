"""The publishing process is killed and Kafka goes away: acknowledged events arrive, in order.

Every test is run a second time with a mistake planted that it must see.
"""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from rapport_cli.stack.broker import Broker
from rapport_cli.stack.topics import create_topics

from tests.chaos.fleet import ROOT
from tests.support.servers import open_test_broker, own_broker_choice
from tests.support.spooling import pause, read_numbers

SEED = 20261122
ROUND = 1_000_000
FAILPOINTS_AWAY = ("before_spool_append", "after_spool_append")
FAILPOINTS_BACK = ("before_spool_advance", "after_spool_advance")
FAILPOINTS_DIRECT = ("before_kafka_publish", "after_kafka_publish")


@pytest.fixture(scope="module")
async def pausable() -> AsyncIterator[Broker]:
    async with open_test_broker(own_broker_choice()) as broker:
        yield broker


@dataclass(frozen=True)
class Verdict:
    """`lost`: acknowledged, not in the log. `disordered`: customers whose events changed order."""

    acknowledged: int
    repeats: int
    lost: int
    disordered: int

    def line(self, run: str, **faults: object) -> str:
        told = " ".join(f"{name}={value}" for name, value in faults.items())
        return (
            f"\n{run}: {told} acknowledged={self.acknowledged} repeats={self.repeats}"
            f" lost={self.lost} disordered={self.disordered}"
        )


class Publishers:
    """Publishing processes over one spool and one topic, one after the other."""

    def __init__(self, broker: Broker, topic: str, directory: Path) -> None:
        self.broker = broker
        self.topic = topic
        self.directory = directory
        self.rounds = 0

    @property
    def acked(self) -> Path:
        return self.directory / "acked"

    @asynccontextmanager
    async def publishing(self, bug: str, failpoints: str = "") -> AsyncIterator["Publisher"]:
        """A process that publishes until it is killed: here, or at the end."""
        self.rounds += 1
        process = await self.start(bug, str(self.rounds * ROUND), failpoints)
        try:
            yield Publisher(process, self.acked)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def start(self, bug: str, first: str, failpoints: str) -> asyncio.subprocess.Process:
        told = {
            "BOOTSTRAP": self.broker.bootstrap,
            "IDEMPOTENT": "yes" if self.broker.idempotent else "no",
            "TOPIC": self.topic,
            "SPOOL": str(self.directory / "spool"),
            "ACKED": str(self.acked),
            "BUG": bug,
            "FIRST": first,
            "FAILPOINTS": failpoints,
        }
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.support.spool_publisher",
            cwd=ROOT,
            env={**os.environ, **told},
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def verdict(self) -> Verdict:
        """Replay what the spool holds, then compare the log with what was acknowledged."""
        last = await self.start("", "", "")
        assert await asyncio.wait_for(last.wait(), 120) == 0
        acked, lost, disordered = read_acked(self.acked), 0, 0
        log = await read_numbers(self.broker.bootstrap, self.topic)
        for key, numbers in acked.items():
            told = set(numbers)
            came = [number for number in dict.fromkeys(log.get(key, [])) if number in told]
            lost += len(told) - len(came)
            disordered += came != sorted(came)
        return Verdict(
            acknowledged=sum(map(len, acked.values())),
            repeats=sum(map(len, log.values())) - sum(len(set(it)) for it in log.values()),
            lost=lost,
            disordered=disordered,
        )


@dataclass(frozen=True)
class Publisher:
    process: asyncio.subprocess.Process
    acked: Path

    async def until_acknowledged(self, events: int) -> None:
        """Wait until so many more were acknowledged, as its file tells, or the process ended."""
        target = size_of(self.acked) + events * len("customer-0 1000000\n")
        # Its files are all that is seen of the process: they are looked at again and again.
        while self.process.returncode is None and size_of(self.acked) < target:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    async def until_replayed(self, spool: Path) -> None:
        """Wait until nothing is kept on the disk any more."""
        async with asyncio.timeout(90):
            while any(spool.rglob("*.spool")):  # noqa: ASYNC110, ASYNC240 - see above
                await asyncio.sleep(0.02)

    async def death(self, seconds: float) -> int | None:
        try:
            return await asyncio.wait_for(self.process.wait(), seconds)
        except TimeoutError:
            return None


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def read_acked(path: Path) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = {}
    for line in path.read_text().splitlines():
        key, number = line.split()
        found.setdefault(key, []).append(int(number))
    return found


@pytest.fixture
async def publishers(pausable: Broker, tmp_path: Path) -> AsyncIterator[Publishers]:
    topic = f"spool_{uuid4().hex[:12]}"
    await create_topics(pausable.bootstrap, [topic], partitions=4)
    yield Publishers(pausable, topic, tmp_path)
    pausable.resume()


@pytest.mark.parametrize("bug", ["", "overtake"])
async def test_kafka_goes_away_and_comes_back_under_load(publishers: Publishers, bug: str) -> None:
    outages = 2
    async with publishers.publishing(bug) as publisher:
        for _ in range(outages):
            await publisher.until_acknowledged(300)
            pause(publishers.broker)
            await publisher.until_acknowledged(600)
            publishers.broker.resume()
        await publisher.until_acknowledged(2_000)
        # Whoever overtakes does so when the spool is replayed, which may take its time to begin.
        await publisher.until_replayed(publishers.directory / "spool")

    found = await publishers.verdict()
    print(found.line("kafka away", outages=outages, bug=bug))  # noqa: T201
    assert ((found.lost, found.disordered) != (0, 0)) is bool(bug)


async def test_kill_9_at_random_while_kafka_comes_and_goes(publishers: Publishers) -> None:
    chance, kills = random.Random(SEED), 6
    for kill in range(kills):
        async with publishers.publishing("") as publisher:
            await publisher.until_acknowledged(200)
            if kill % 2:
                publishers.broker.resume()
            else:
                pause(publishers.broker)
            await publisher.until_acknowledged(chance.randrange(1, 400))
    publishers.broker.resume()

    found = await publishers.verdict()
    print(found.line("kill -9 at random", seed=SEED, kills=kills))  # noqa: T201
    assert (found.lost, found.disordered) == (0, 0)


@pytest.mark.parametrize(
    ("bug", "away", "back", "direct"),
    [
        ("", FAILPOINTS_AWAY, FAILPOINTS_BACK, FAILPOINTS_DIRECT),
        ("ack before spool", FAILPOINTS_AWAY[:1], (), ()),
        ("advance before ack", (), FAILPOINTS_BACK[:1], ()),
    ],
)
async def test_kill_9_at_each_failpoint(
    publishers: Publishers,
    bug: str,
    away: tuple[str, ...],
    back: tuple[str, ...],
    direct: tuple[str, ...],
) -> None:
    deaths = 0
    for failpoint in direct:
        deaths += await die_at(publishers, bug, failpoint, 0.05)
    pause(publishers.broker)
    async with publishers.publishing("") as publisher:
        await publisher.until_acknowledged(300)
    for failpoint in away:
        deaths += await die_at(publishers, bug, failpoint, 0.1)
    publishers.broker.resume()
    for failpoint in back:
        deaths += await die_at(publishers, bug, failpoint, 1.0)

    found = await publishers.verdict()
    print(found.line("kill -9 at failpoints", deaths=deaths, bug=bug))  # noqa: T201
    assert deaths == len(direct + away + back)
    assert ((found.lost, found.disordered) != (0, 0)) is bool(bug)


async def die_at(publishers: Publishers, bug: str, failpoint: str, probability: float) -> bool:
    async with publishers.publishing(bug, f"{failpoint}:{probability}") as publisher:
        return await publisher.death(60) == -signal.SIGKILL


@pytest.mark.apache
async def test_kill_9_of_the_broker_under_load(publishers: Publishers) -> None:
    async with publishers.publishing("") as publisher:
        for _ in range(2):
            await publisher.until_acknowledged(500)
            publishers.broker.kill9()
            await publisher.until_acknowledged(300)
            await publishers.broker.start()
        await publisher.until_acknowledged(1_000)

    found = await publishers.verdict()
    print(found.line("kill -9 of the broker", kills=2))  # noqa: T201
    assert (found.lost, found.disordered) == (0, 0)
