"""Wiring: what ingest consists of, without logic."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from fastapi import FastAPI
from rapport_privacy import migrations as keyring_migrations
from rapport_privacy.wiring import open_keyring
from rapport_runtime.contract import Resources
from rapport_runtime.database import create_engine, migrate, require_current_schema
from rapport_runtime.http import app as http
from rapport_runtime.http.auth import Keys
from rapport_runtime.http.body import BATCHES
from rapport_runtime.http.health import Check, database_check
from rapport_runtime.metrics import Metrics
from rapport_runtime.producer import EventProducer
from rapport_runtime.serve import Component, http_component
from rapport_runtime.subscription import run_subscription
from starlette.middleware import Middleware

from rapport_ingest.api import cloudevents, ops, posthog, quarantine, sdk
from rapport_ingest.api.express import Express
from rapport_ingest.blocked import parse_blocklist
from rapport_ingest.house import House, Tally
from rapport_ingest.inbound import inbound_subscription
from rapport_ingest.pipeline.line import Line
from rapport_ingest.pipeline.together import People
from rapport_ingest.quarantine.pruning import keep_pruned
from rapport_ingest.settings import IngestSettings

PACKAGE: Final = "rapport_ingest"
SERVICE: Final = "ingest"

_EXPRESS: Final = (sdk.router, cloudevents.router, posthog.router)
_ROUTERS: Final = (*_EXPRESS, quarantine.router, ops.router)


class Premises:
    """The one house of a process: whoever of API and worker comes first opens it, the last closes.

    The spool belongs to one process and one producer, so both doors must share it.
    """

    def __init__(self, settings: IngestSettings) -> None:
        self.settings = settings
        self.resources = Resources(
            settings=settings, engine=create_engine(settings), metrics=Metrics(SERVICE)
        )
        self.opened: House | None = None
        self._inside = 0
        self._door = asyncio.Lock()

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[House]:
        async with self._door:
            house = self.opened or await self._open()
            self.opened = house
            self._inside += 1
        try:
            yield house
        finally:
            async with self._door:
                self._inside -= 1
                if not self._inside:
                    self.opened = None
                    await self._close(house)

    async def _open(self) -> House:
        settings, resources = self.settings, self.resources
        await require_current_schema(resources.engine, PACKAGE)
        keyring = await open_keyring(settings.keyring)
        topic = settings.topics.interactions
        producer = EventProducer(settings, topic, resources.metrics)
        await producer.start()
        blocked = parse_blocklist(settings.identifiers.blocked)
        line = Line(People(keyring), producer, topic, blocked)
        return House(line, keyring, producer, resources.engine, Tally.of(resources.metrics))

    async def _close(self, house: House) -> None:
        await house.producer.stop()
        await house.keyring.close()
        await house.engine.dispose()


def create_app(premises: Premises, keys: Keys) -> FastAPI:
    """The HTTP doors."""

    @asynccontextmanager
    async def open_doors(app: FastAPI) -> AsyncIterator[None]:
        async with premises.enter() as house:
            app.state.house = house
            app.state.resources = premises.resources
            yield

    app = http.create_app(
        SERVICE,
        premises.settings,
        _ROUTERS,
        metrics=premises.resources.metrics,
        keys=keys,
        checks=_checks(premises),
        lifespan=open_doors,
        body=BATCHES,
        cors=True,
        open_paths=sdk.PATHS | cloudevents.PATHS | posthog.PATHS,
    )
    app.user_middleware.append(Middleware(Express, _EXPRESS))
    return app


def _checks(premises: Premises) -> Mapping[str, Check]:
    """Kafka being away is no reason to be taken out: then events go to the spool."""

    async def check_keyring() -> str | None:
        if premises.opened is None:
            return "not opened yet"
        await premises.opened.keyring.check()
        return None

    async def check_spool() -> str | None:
        if premises.opened is None:
            return "not opened yet"
        return await premises.opened.producer.why_unready()

    return {
        "database": database_check(premises.resources.engine),
        "keyring": check_keyring,
        "spool": check_spool,
    }


def api_component(premises: Premises) -> Component:
    settings = premises.settings
    return http_component(create_app(premises, Keys(settings.keys_file)), settings.http)


def worker_component(premises: Premises) -> Component:
    """Takes what other systems put into the inbound topic."""

    async def work(stop: asyncio.Event) -> None:
        async with premises.enter() as house:
            subscription = inbound_subscription(house, premises.settings.topics.inbound)
            await run_subscription(subscription, premises.resources, stop=stop)

    return work


def pruning_component(premises: Premises) -> Component:
    """Forgets old refusals, and those about people who were erased."""

    async def prune(stop: asyncio.Event) -> None:
        async with premises.enter() as house:
            age = timedelta(days=premises.settings.quarantine.days)
            await keep_pruned(house.engine, house.keyring, stop, age)

    return prune


async def migrate_all(settings: IngestSettings) -> None:
    """The service's own database, and the keyring's, which belongs to all."""
    await migrate(PACKAGE, settings.database.url)
    await keyring_migrations.migrate(settings.keyring.url)
