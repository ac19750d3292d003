"""Wiring: what the personalization service consists of, without logic."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI
from rapport_events.topics import ENGAGEMENT
from rapport_privacy import migrations as keyring_migrations
from rapport_privacy.keyring import Keyring
from rapport_privacy.wiring import keyring_check, open_keyring
from rapport_runtime import sender
from rapport_runtime.database import create_engine, migrate, require_current_schema
from rapport_runtime.http import app as http
from rapport_runtime.http.auth import Keys
from rapport_runtime.http.health import Check, database_check
from rapport_runtime.http.ops import make_ops_router
from rapport_runtime.http.unavailable import install_handlers
from rapport_runtime.metrics import Metrics
from rapport_runtime.pool import open_pool
from rapport_runtime.sender import make_deliveries_router
from rapport_runtime.serve import Component, http_component
from rapport_runtime.subscription import Resources, Subscription

from rapport_personalization import backtester, models
from rapport_personalization.api import (
    backtests,
    decisions,
    explain,
    lift,
    policies,
    preference_links,
    preferences,
    scores,
    suggestions,
    suppressions,
    triggers,
)
from rapport_personalization.catalogue import install
from rapport_personalization.consumer import subscription
from rapport_personalization.desk import Desk
from rapport_personalization.rules import Rulebook
from rapport_personalization.sending import names_of_templates, send
from rapport_personalization.settings import PersonalizationSettings
from rapport_personalization.worker import Shop, work

PACKAGE: Final = "rapport_personalization"
SERVICE: Final = "personalization"

_ROUTERS: Final = (
    lift.router, triggers.router, policies.router, decisions.router, explain.router,
    preference_links.router, preferences.router, suppressions.router, backtests.router,
    scores.router, suggestions.router,
)  # fmt: skip
"""The first that matches answers."""


def make_resources(settings: PersonalizationSettings) -> Resources:
    """What the API and the worker of one process share."""
    return Resources(settings=settings, engine=create_engine(settings), metrics=Metrics(SERVICE))


def create_app(settings: PersonalizationSettings, resources: Resources, keys: Keys) -> FastAPI:
    """The HTTP door; its lifespan opens the keyring."""
    opened: list[Keyring] = []
    rulebook = Rulebook(settings)
    projection = subscription(rulebook, lambda: opened[0])

    @asynccontextmanager
    async def open_desk(app: FastAPI) -> AsyncIterator[None]:
        await require_current_schema(resources.engine, PACKAGE)
        keyring = await open_keyring(settings.keyring)
        opened.append(keyring)
        pool = await open_pool(settings.database, "rapport-personalization-reader")
        app.state.resources, app.state.pool = resources, pool
        app.state.rulebook = rulebook
        app.state.desk = Desk(settings, resources.engine, pool, keyring)
        yield
        await pool.close()
        await keyring.close()
        await resources.engine.dispose()

    app = http.create_app(
        SERVICE,
        settings,
        (*_ROUTERS, make_ops_router(*_read_by(projection)), make_deliveries_router()),
        metrics=resources.metrics,
        open_paths=frozenset({preferences.PATH}),
        keys=keys,
        checks=_checks(resources, opened),
        lifespan=open_desk,
    )
    install_handlers(app)
    return app


def _read_by(projection: Subscription) -> Sequence[Subscription]:
    return (projection, models.SUBSCRIPTION, sender.subscription(ENGAGEMENT))


def _checks(resources: Resources, opened: Sequence[Keyring]) -> Mapping[str, Check]:
    return {"database": database_check(resources.engine), "keyring": keyring_check(opened)}


def api_component(settings: PersonalizationSettings, resources: Resources) -> Component:
    return http_component(create_app(settings, resources, Keys(settings.keys_file)), settings.http)


def backtests_component(settings: PersonalizationSettings, resources: Resources) -> Component:
    """Sees to it that somebody runs the back-tests that are asked for."""

    async def run(stop: asyncio.Event) -> None:
        await require_current_schema(resources.engine, PACKAGE)
        await backtester.look(settings, resources.engine, stop)

    return run


def worker_component(settings: PersonalizationSettings, resources: Resources) -> Component:
    """Keeps what decides level with the log, decides, and publishes what follows."""

    async def run(stop: asyncio.Event) -> None:
        await require_current_schema(resources.engine, PACKAGE)
        await install(resources.engine, settings.triggers_dir, names_of_templates(settings))
        keyring = await open_keyring(settings.keyring)
        try:
            await work(make_shop(settings, resources, keyring), stop)
        finally:
            await keyring.close()

    return run


def make_shop(settings: PersonalizationSettings, resources: Resources, keyring: Keyring) -> Shop:
    rulebook = Rulebook(settings)
    return Shop(
        settings=settings,
        resources=resources,
        keyring=keyring,
        rulebook=rulebook,
        projection=subscription(rulebook, lambda: keyring),
        models=models.SUBSCRIPTION,
    )


def sender_component(settings: PersonalizationSettings, resources: Resources) -> Component:
    """Brings messages to people."""

    async def run(stop: asyncio.Event) -> None:
        await require_current_schema(resources.engine, PACKAGE)
        keyring = await open_keyring(settings.keyring)
        pool = await open_pool(settings.database, "rapport-personalization-sender")
        try:
            await send(settings, resources, keyring, pool, stop)
        finally:
            await pool.close()
            await keyring.close()

    return run


async def migrate_all(settings: PersonalizationSettings) -> None:
    """The service's own database, and the keyring's, which belongs to all."""
    await migrate(PACKAGE, settings.database.url)
    await keyring_migrations.migrate(settings.keyring.url)
