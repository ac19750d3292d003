"""Ingest is killed while publishers send: what it acknowledged is in the log.

The test is run a second time with a mistake planted that it must see.
"""

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from rapport_cli.stack.broker import Broker
from rapport_cli.stack.processes import Command, Process, free_port, port_answers, until_ready
from rapport_privacy.migrations import migrate as migrate_keyring
from rapport_runtime.database import migrate

from tests.support.fixtures import MakeDatabase, MakeTopic
from tests.support.ingest_house import PARTITIONS, Secrets, an_id
from tests.support.ingest_process import BUG

SEED = 20_261_122
PUBLISHERS = 6
KILLS = int(os.environ.get("RAPPORT_CHAOS_KILLS", "8"))
FAILPOINTS = "before_publish:0.02,after_publish:0.02"


@dataclass
class Publishers:
    """Clients that send batches, and send again what was not acknowledged."""

    url: str
    key: str
    acked: set[str] = field(default_factory=set)
    resent: int = 0

    async def publish(self, number: int, stop: asyncio.Event) -> None:
        chance = random.Random(SEED + number)
        async with httpx2.AsyncClient(base_url=self.url, timeout=15, trust_env=False) as client:
            while not stop.is_set():
                ids = [an_id() for _ in range(chance.randint(1, 20))]
                while not await self._acknowledged(client, number, ids):
                    self.resent += 1
                    if stop.is_set():
                        return
                    await asyncio.sleep(0.05)
                self.acked.update(ids)

    async def _acknowledged(self, client: httpx2.AsyncClient, number: int, ids: list[str]) -> bool:
        event = {"type": "track", "event": "Step", "userId": f"u-{number}"}
        batch = [{**event, "messageId": event_id} for event_id in ids]
        headers = {"authorization": f"Bearer {self.key}"}
        try:
            answer = await client.post("/v1/batch", json={"batch": batch}, headers=headers)
        except httpx2.TransportError:
            return False
        if answer.status_code != httpx2.codes.OK:
            return False
        return bool(answer.json()["accepted"] == len(ids))


@dataclass(frozen=True)
class Site:
    """Where ingest runs, again and again."""

    process: Process
    port: int
    topic: str
    spool: Path

    async def start(self) -> None:
        async def listens() -> bool:
            return await port_answers("127.0.0.1", self.port)

        self.process.start()
        await until_ready(self.process, listens, 60)

    async def drain(self) -> None:
        """Lets it live until what it acknowledged while Kafka was slow is in the log, too."""
        async with asyncio.timeout(120):
            while not self.process.running or any(self.spool.rglob("*.spool")):
                if not self.process.running:
                    await self.start()
                await asyncio.sleep(0.1)


@pytest.fixture(params=["", BUG])
async def site(
    request: pytest.FixtureRequest,
    broker: Broker,
    topic: MakeTopic,
    new_database: MakeDatabase,
    secrets: Secrets,
    tmp_path: Path,
) -> AsyncIterator[Site]:
    database, keyring = await new_database(_migrate_ingest), await new_database(migrate_keyring)
    name, port, spool = await topic(PARTITIONS), free_port(), tmp_path / "spool"
    environment = {
        "RAPPORT_HTTP__PORT": str(port),
        "RAPPORT_KAFKA__BOOTSTRAP": broker.bootstrap,
        "RAPPORT_KAFKA__IDEMPOTENCE": str(broker.idempotent).lower(),
        "RAPPORT_DATABASE__URL": database,
        "RAPPORT_KEYRING__URL": keyring,
        "RAPPORT_KEYRING__MASTER_KEY": secrets.master_key,
        "RAPPORT_KEYS_FILE": str(secrets.keys_file),
        "RAPPORT_SPOOL__DIR": str(spool),
        "RAPPORT_TOPICS__INTERACTIONS": name,
        "RAPPORT_FAILPOINTS": FAILPOINTS,
        "RAPPORT_SEEDED_BUG": request.param,
    }
    command = Command(
        name="ingest",
        argv=(sys.executable, "-m", "tests.support.ingest_process"),
        log=tmp_path / "log",
        env=environment,
    )
    process = Process(command)
    yield Site(process, port, name, spool)
    await process.stop()


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    return Secrets.make(tmp_path)


async def _migrate_ingest(url: str) -> None:
    await migrate("rapport_ingest", url)


@asynccontextmanager
async def _publishing(publishers: Publishers) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(publishers.publish(number, stop)) for number in range(PUBLISHERS)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def _ids_in_log(bootstrap: str, topic: str) -> Counter[str]:
    """How often each event is in the log; read once nobody writes any more."""
    found: Counter[str] = Counter()
    places = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        consumer.assign(places)
        for place in places:
            consumer.seek(place, 0)
        while not all([await _is_read(consumer, place) for place in places]):
            for records in (await consumer.getmany(timeout_ms=300)).values():
                found.update(dict(record.headers)["ce_id"].decode() for record in records)
    return found


async def _is_read(consumer: AIOKafkaConsumer, place: TopicPartition) -> bool:
    end = consumer.highwater(place)
    return end is not None and await consumer.position(place) >= end


@pytest.mark.slow
async def test_kill_9_of_ingest_during_produce(
    site: Site, broker: Broker, secrets: Secrets, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(SEED)
    publishers = Publishers(f"http://127.0.0.1:{site.port}", secrets.keys["publisher"])
    deaths = 0
    await site.start()

    async with _publishing(publishers):
        while deaths < KILLS:
            # Most lives end at a failpoint before this.
            if not await site.process.wait(chance.uniform(0.5, 2.0)):
                site.process.kill9()
            deaths += 1
            await site.start()
    await site.drain()
    await site.process.stop()

    found = await _ids_in_log(broker.bootstrap, site.topic)
    missing = publishers.acked - found.keys()
    repeats = sum(found.values()) - len(found)
    print(  # noqa: T201
        f"\nkill -9 of ingest: seed={SEED} bug={request.node.callspec.params['site'] or None}"
        f" kills={deaths} acknowledged={len(publishers.acked)} resent={publishers.resent}"
        f" repeats={repeats} missing={len(missing)}"
    )
    assert publishers.acked
    assert bool(missing) is (request.node.callspec.params["site"] == BUG)
