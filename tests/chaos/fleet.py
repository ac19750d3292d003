"""Toy workers to be killed, paused and started again, and the events they are fed."""

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from rapport_cli.stack.broker import Broker
from rapport_runtime.settings import Settings

from tests.support.events import happened, new_subject
from tests.support.toy import settings_for

ROOT = Path(__file__).parents[2]
SESSION_SECONDS = 1.5
TOY = "tests.support.toy_projector"


def chaos_settings(broker: Broker, url: str) -> Settings:
    """Static members come back at once after a `kill -9`; the embedded broker loses them."""
    settings = settings_for(broker.bootstrap, url)
    instance = "by-slot" if broker.idempotent else None
    kafka = settings.kafka.model_copy(update={"instance_id": instance})
    return settings.model_copy(update={"kafka": kafka})


@dataclass
class Fleet:
    """Forks workers, and knows how each of them died."""

    nursery: asyncio.subprocess.Process
    environment: Mapping[str, str]
    static: bool
    deaths: dict[int, asyncio.Future[int]] = field(default_factory=dict)
    _born: asyncio.Queue[int] = field(default_factory=asyncio.Queue)

    async def start(self, slot: int, **more: str) -> int:
        """A worker, where the broker can with a static membership of its own; returns its pid."""
        environment = {**self.environment, **more}
        if self.static:
            environment["RAPPORT_KAFKA__INSTANCE_ID"] = f"slot-{slot}"
        assert self.nursery.stdin is not None
        self.nursery.stdin.write(json.dumps(environment).encode() + b"\n")
        return await self._born.get()

    async def death(self, pid: int, seconds: float) -> int | None:
        """The exit status (negative for a signal), or None when it still lives after that."""
        with suppress(TimeoutError):
            return await asyncio.wait_for(asyncio.shield(self.deaths[pid]), seconds)
        return None

    async def stopped(self, pid: int, seconds: float) -> bool:
        """Whether it has been stopped by a signal, at the latest after that."""
        deadline = monotonic() + seconds
        while monotonic() < deadline:
            if _state(pid) == "T":
                return True
            await asyncio.sleep(0.05)
        return False

    async def kill9(self, pid: int) -> None:
        self._send(pid, signal.SIGKILL)
        await self.deaths[pid]

    async def stop(self, pid: int) -> int:
        """Ask it to end in order; the exit status."""
        self._send(pid, signal.SIGTERM)
        return await asyncio.wait_for(self.deaths[pid], 60)

    def _send(self, pid: int, number: signal.Signals) -> None:
        """To whoever has died already, and whose death is not told yet, nothing happens."""
        if not self.deaths[pid].done():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    async def listen(self) -> None:
        """Take in what the nursery says, until it ends."""
        assert self.nursery.stdout is not None
        async for line in self.nursery.stdout:
            said = json.loads(line)
            if "born" in said:
                # Before anybody takes note of the birth the death may be told.
                self.deaths[said["born"]] = asyncio.get_running_loop().create_future()
                self._born.put_nowait(said["born"])
            else:
                self.deaths[said["dead"]].set_result(said["status"])


def _state(pid: int) -> str:
    """The letter of proc(5): `T` is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@asynccontextmanager
async def fleet(
    settings: Settings, topic: str, log: Path, module: str = TOY, **more: str
) -> AsyncIterator[Fleet]:
    """A nursery for workers on this topic; all of them are gone at the end."""
    environment = {
        "RAPPORT_KAFKA__BOOTSTRAP": settings.kafka.bootstrap,
        "RAPPORT_KAFKA__IDEMPOTENCE": "false",
        "RAPPORT_KAFKA__SESSION_TIMEOUT_MS": str(int(SESSION_SECONDS * 1000)),
        "RAPPORT_DATABASE__URL": settings.database.url,
        "RAPPORT_WORKER__BATCH": "40",
        "RAPPORT_WORKER__STALL_SECONDS": "10",
        "TOY_NAME": f"chaos-{uuid4().hex[:8]}",
        "TOY_TOPIC": topic,
        "TOY_LOG": str(log),
        **more,
    }
    nursery = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    workers = Fleet(nursery, environment, settings.kafka.instance_id is not None)
    listening = asyncio.create_task(workers.listen())
    try:
        yield workers
    finally:
        assert nursery.stdin is not None
        nursery.stdin.close()
        await nursery.wait()
        await listening


@asynccontextmanager
async def feeding(
    settings: Settings, topic: str, seed: int, *, repeats: float = 0.0
) -> AsyncIterator[None]:
    """Publish events all the while, some of them again, until the block ends.

    The log is what counts: what the broker refused was never an event.
    """
    stop = asyncio.Event()
    task = asyncio.create_task(_feed(settings, topic, random.Random(seed), repeats, stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def _feed(
    settings: Settings, topic: str, chance: random.Random, repeats: float, stop: asyncio.Event
) -> None:
    subjects = [new_subject() for _ in range(40)]
    sent: list[tuple[bytes, bytes]] = []
    async with AIOKafkaProducer(
        bootstrap_servers=settings.kafka.bootstrap, acks="all", request_timeout_ms=4_000
    ) as producer:
        while not stop.is_set():
            subject = chance.choice(subjects)
            wave = [(subject.encode(), happened("page.viewed", subject).value) for _ in range(5)]
            sent += wave
            wave += [
                it for it in chance.sample(sent, min(5, len(sent))) if chance.random() < repeats
            ]
            with suppress(KafkaError):
                for key, value in wave:
                    sending = await producer.send(topic, value, key=key)
                    # Not acknowledged: then it is in the log, or it is not. The checker looks.
                    sending.add_done_callback(asyncio.Future.exception)
            await asyncio.sleep(0.01)
        with suppress(KafkaError):
            await producer.flush()
