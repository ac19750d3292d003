"""The broker and the database that benchmarks run against, and the log that they replay."""

import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaProducer
from rapport_cli.stack.broker import Broker, open_broker
from rapport_cli.stack.postgres import Postgres, open_postgres
from rapport_cli.stack.topics import create_topics
from rapport_runtime.settings import Settings

from bench.workload import LogEntry


@dataclass(frozen=True, slots=True)
class Servers:
    broker: Broker
    postgres: Postgres

    def settings(self, database: str, **more: object) -> Settings:
        """A worker's settings; nothing is taken from the environment."""
        kafka = {"bootstrap": self.broker.bootstrap, "idempotence": self.broker.idempotent}
        return Settings.model_validate({"kafka": kafka, "database": {"url": database}, **more})


@asynccontextmanager
async def open_servers(kind: str) -> AsyncIterator[Servers]:
    """`kind`: embedded or apache. PostgreSQL runs as `rapport up` runs it, with fsync."""
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        async with _open(kind, Path(folder)) as servers:
            yield servers


def _open(kind: str, directory: Path) -> AbstractAsyncContextManager[Servers]:
    # As root, PostgreSQL runs as another user, who must be able to enter.
    directory.chmod(0o711)
    (directory / "broker").mkdir()
    return _running(kind, directory)


@asynccontextmanager
async def _running(kind: str, directory: Path) -> AsyncIterator[Servers]:
    async with (
        open_broker(kind, directory / "broker") as broker,
        open_postgres(directory / "postgres") as postgres,
    ):
        yield Servers(broker, postgres)


async def fill(servers: Servers, topic: str, partitions: int, log: Iterable[LogEntry]) -> None:
    """Makes the topic and writes the log to it, each customer to one partition."""
    await create_topics(servers.broker.bootstrap, [topic], partitions=partitions)
    producer = AIOKafkaProducer(
        bootstrap_servers=servers.broker.bootstrap,
        acks="all",
        enable_idempotence=servers.broker.idempotent,
        linger_ms=20,
        max_batch_size=1 << 18,
    )
    await producer.start()
    try:
        sent = [await producer.send(topic, entry.value, key=entry.key) for entry in log]
        for delivery in sent:
            await delivery
    finally:
        await producer.stop()


async def settle(url: str) -> None:
    """Writes out what preparations have left, which the measurement would pay for."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.execute("CHECKPOINT")
    await connection.close()
