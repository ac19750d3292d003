"""A profile service on a log of its own: what it projected, and commands that build it again."""

import asyncio
import json
import multiprocessing
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final, Self

from rapport_cli.stack.broker import Broker
from rapport_cli.stack.topics import create_topics
from rapport_events.envelope import Record
from rapport_events.topics import INTERACTIONS
from rapport_profile.__main__ import run_profile
from rapport_profile.consumer import TOPICS
from rapport_profile.projection import projection
from rapport_profile.settings import ProfileSettings
from rapport_runtime.database import create_patient_engine
from rapport_runtime.metrics import Metrics
from rapport_runtime.rebuild import Site
from rapport_runtime.subscription import Resources, run_subscription
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.workload import entries
from tests.support import publish
from tests.support.profile_house import Secrets

_COMMAND_SECONDS = 90.0


@dataclass
class Log:
    """The topics of a broker that tests share: they never get shorter."""

    broker: Broker
    ends: publish.Positions = field(default_factory=dict)

    @classmethod
    async def make(cls, broker: Broker) -> "Log":
        await create_topics(broker.bootstrap, TOPICS, partitions=3)
        return cls(broker)

    async def tell(self, records: Sequence[Record], topic: str = INTERACTIONS.name) -> None:
        self.ends |= await publish.publish(self.broker.bootstrap, topic, records)

    async def tell_bytes(self, pairs: Sequence[tuple[bytes | None, bytes | None]]) -> None:
        self.ends |= await publish.publish_bytes(self.broker.bootstrap, INTERACTIONS.name, pairs)

    async def tell_crowd(self, events: int, customers: int, seed: int) -> None:
        """A shop's events: some late, some linking two identifiers, many orders."""
        log = islice(entries(events, customers, seed), events)
        await self.tell_bytes([(entry.key, entry.value) for entry in log])


_FORKS: Final = multiprocessing.get_context("forkserver")
"""Everything is imported once, so that a process costs milliseconds."""
_FORKS.set_forkserver_preload(["rapport_profile.__main__"])


@dataclass(frozen=True)
class Running:
    """A command in a process of its own."""

    process: ForkServerProcess
    out: Path

    @classmethod
    def start(cls, words: Sequence[str], environment: Mapping[str, str]) -> Self:
        with tempfile.NamedTemporaryFile(prefix="rapport-test-", delete=False) as out:
            path = Path(out.name)
        process = _FORKS.Process(target=_be, args=(words, environment, path), daemon=True)
        process.start()
        return cls(process, path)

    def wait(self, seconds: float) -> int:
        """The exit status; it is killed when it takes longer."""
        self.process.join(seconds)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        status = self.process.exitcode
        assert status is not None
        return status


def _be(words: Sequence[str], environment: Mapping[str, str], out: Path) -> None:
    os.environ.update(environment)
    os.dup2(os.open(out, os.O_WRONLY | os.O_APPEND), 1)
    sys.argv = ["rapport_profile", *words]
    sys.exit(run_profile())


@dataclass(frozen=True)
class Shop:
    """A database whose live version follows the log."""

    log: Log
    settings: ProfileSettings
    environment: dict[str, str]
    engine: AsyncEngine
    secrets: Secrets
    heard: defaultdict[str, asyncio.Event] = field(
        default_factory=lambda: defaultdict(asyncio.Event)
    )
    """The steps of rebuilds in this process, each as soon as it has come."""

    @property
    def site(self) -> Site:
        return Site(
            projection=projection(self.settings),
            settings=self.settings,
            engine=self.engine,
            tell=self._hear,
        )

    def _hear(self, step: str, _: Mapping[str, object]) -> None:
        self.heard[step].set()

    @property
    def resources(self) -> Resources:
        return Resources(settings=self.settings, engine=self.engine, metrics=Metrics("profile"))

    async def project(self) -> None:
        """The live version, level with the log."""
        await run_subscription(
            self.site.projection.subscription, self.resources, until=dict(self.log.ends)
        )

    def start(self, *words: str, **environment: str) -> Running:
        """Starts `python -m rapport_profile …`."""
        return Running.start(words, {**self.environment, **environment})

    async def command(self, *words: str, **environment: str) -> tuple[int, list[dict[str, Any]]]:
        """Runs one to its end: its exit status, and the lines that it printed."""
        running = self.start(*words, **environment)
        status = await asyncio.to_thread(running.wait, _COMMAND_SECONDS)
        return status, [json.loads(line) for line in running.out.read_text().splitlines()]

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        async with self.engine.begin() as connection:
            found = await connection.execute(text(query))
            return [tuple(row) for row in found] if found.returns_rows else []

    async def schemas(self) -> set[str]:
        """Versions beside the live one."""
        found = await self.rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'profile%'")
        return {str(name) for (name,) in found}


@asynccontextmanager
async def open_shop(log: Log, database: str, keyring: str, secrets: Secrets) -> AsyncIterator[Shop]:
    environment = {
        "RAPPORT_KAFKA__BOOTSTRAP": log.broker.bootstrap,
        "RAPPORT_KAFKA__IDEMPOTENCE": str(log.broker.idempotent).lower(),
        "RAPPORT_DATABASE__URL": database,
        "RAPPORT_KEYRING__URL": keyring,
        "RAPPORT_KEYRING__MASTER_KEY": secrets.master_key,
        "RAPPORT_KEYS_FILE": str(secrets.keys_file),
        "RAPPORT_LOG__LEVEL": "error",
    }
    settings = ProfileSettings.model_validate(
        {
            "kafka": {"bootstrap": log.broker.bootstrap, "idempotence": log.broker.idempotent},
            "database": {"url": database},
            "keyring": {"url": keyring, "master_key": secrets.master_key},
            "keys_file": secrets.keys_file,
        }
    )
    engine = create_patient_engine(settings)
    yield Shop(log, settings, environment, engine, secrets)
    await engine.dispose()
