"""Wiring: what the profile service consists of, without logic."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI
from rapport_privacy import migrations as keyring_migrations
from rapport_privacy.keyring import Keyring
from rapport_privacy.wiring import keyring_check, open_keyring
from rapport_runtime import outbox
from rapport_runtime.database import create_engine, migrate, require_current_schema
from rapport_runtime.http import app as http
from rapport_runtime.http.auth import Keys
from rapport_runtime.http.health import Check, database_check
from rapport_runtime.http.ops import make_ops_router
from rapport_runtime.metrics import Metrics
from rapport_runtime.pool import open_pool
from rapport_runtime.serve import Component, http_component
from rapport_runtime.subscription import Resources, run_subscription

from rapport_profile import names
from rapport_profile.api import (
    attempts,
    audit,
    diff,
    links,
    preview,
    privacy,
    profiles,
    search,
    stream,
    suggestions,
    timeline,
    trait_history,
    work,
)
from rapport_profile.api.unavailable import install_handlers
from rapport_profile.api.visit import Library
from rapport_profile.audit import AuditTrail
from rapport_profile.consumer import subscription
from rapport_profile.live import open_hub
from rapport_profile.privacy.resuming import keep_resuming
from rapport_profile.settings import ProfileSettings
from rapport_profile.sweep import sweep

PACKAGE: Final = "rapport_profile"
SERVICE: Final = "profile"

_ROUTERS: Final = (
    search.router, stream.router, timeline.router, diff.router, trait_history.router,
    links.router, suggestions.router, preview.router,
    attempts.router, work.router,
    profiles.router, audit.router,
    privacy.router,
)  # fmt: skip
"""The first that matches answers: `{ref}` may hold slashes, so it comes after its own children."""


def make_resources(settings: ProfileSettings) -> Resources:
    """What the API and the worker of one process share."""
    return Resources(settings=settings, engine=create_engine(settings), metrics=Metrics(SERVICE))


def create_app(settings: ProfileSettings, resources: Resources, keys: Keys) -> FastAPI:
    """The HTTP door; its lifespan opens the keyring."""
    opened: list[Keyring] = []

    @asynccontextmanager
    async def open_library(app: FastAPI) -> AsyncIterator[None]:
        await require_current_schema(resources.engine, PACKAGE)
        keyring = await open_keyring(settings.keyring)
        opened.append(keyring)
        pool = await open_pool(settings.database, "rapport-profile-reader")
        app.state.library = Library(
            resources.engine,
            pool,
            keyring,
            AuditTrail(pool),
            resources.progress,
            settings.identity.limits(),
        )
        app.state.resources, app.state.pool = resources, pool
        stopping = getattr(app.state, "stopping", asyncio.Event())
        async with open_hub(settings, resources.metrics, stopping) as app.state.hub:
            yield
        await pool.close()
        await keyring.close()
        await resources.engine.dispose()

    app = http.create_app(
        SERVICE,
        settings,
        (*_ROUTERS, make_ops_router(subscription(settings))),
        metrics=resources.metrics,
        keys=keys,
        checks=_checks(resources, opened),
        lifespan=open_library,
    )
    install_handlers(app)
    return app


def _checks(resources: Resources, opened: Sequence[Keyring]) -> Mapping[str, Check]:
    return {"database": database_check(resources.engine), "keyring": keyring_check(opened)}


def api_component(settings: ProfileSettings, resources: Resources) -> Component:
    return http_component(create_app(settings, resources, Keys(settings.keys_file)), settings.http)


def worker_component(resources: Resources) -> Component:
    """Keeps the profile tables level with the log, and publishes what follows."""
    settings = resources.settings

    async def work(stop: asyncio.Event) -> None:
        await require_current_schema(resources.engine, PACKAGE)
        await asyncio.gather(
            run_subscription(subscription(settings), resources, stop=stop),
            outbox.relay(settings, resources.engine, stop),
        )

    return work


def lifecycle_component(resources: Resources) -> Component:
    """Tells the stages that people come into because time passes."""

    async def work(stop: asyncio.Event) -> None:
        await require_current_schema(resources.engine, PACKAGE)
        await sweep(resources, stop)

    return work


def names_component(settings: ProfileSettings, resources: Resources) -> Component:
    """Indexes names, and so opens the keyring."""

    async def work(stop: asyncio.Event) -> None:
        await require_current_schema(resources.engine, PACKAGE)
        await names.index(resources, lambda: open_keyring(settings.keyring), stop)

    return work


def privacy_component(settings: ProfileSettings, resources: Resources) -> Component:
    """Finishes erasures, and so needs the keyring."""

    async def work(stop: asyncio.Event) -> None:
        await require_current_schema(resources.engine, PACKAGE)
        await keep_resuming(resources, lambda: open_keyring(settings.keyring), stop)

    return work


async def migrate_all(settings: ProfileSettings) -> None:
    """The service's own database, and the keyring's, which belongs to all."""
    await migrate(PACKAGE, settings.database.url)
    await keyring_migrations.migrate(settings.keyring.url)
