"""Wiring: what the feedback service consists of, without logic."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI
from rapport_events.topics import FEEDBACK
from rapport_privacy import migrations as keyring_migrations
from rapport_privacy.keyring import Keyring
from rapport_privacy.wiring import keyring_check, open_keyring
from rapport_runtime import inbox, outbox, sender
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
from rapport_runtime.subscription import Resources, run_subscription
from starlette.middleware import Middleware

from rapport_feedback.api import (
    comment_rules,
    export,
    feedback,
    invitations,
    loops,
    page,
    responses,
    surveys,
    trends,
)
from rapport_feedback.api.doorway import Doorway
from rapport_feedback.consumer import subscription
from rapport_feedback.deciding import Tools, ask
from rapport_feedback.desk import Desk
from rapport_feedback.files import load, read_path
from rapport_feedback.reminders import remind
from rapport_feedback.sending import send
from rapport_feedback.settings import FeedbackSettings

PACKAGE: Final = "rapport_feedback"
SERVICE: Final = "feedback"

_ROUTERS: Final = (
    comment_rules.router,
    export.router,
    feedback.router,
    invitations.router,
    loops.router,
    page.router,
    responses.router,
    surveys.router,
    trends.router,
)
"""The first that matches answers."""


def make_resources(settings: FeedbackSettings) -> Resources:
    """What the API and the worker of one process share."""
    return Resources(settings=settings, engine=create_engine(settings), metrics=Metrics(SERVICE))


def create_app(settings: FeedbackSettings, resources: Resources, keys: Keys) -> FastAPI:
    """The HTTP door; its lifespan opens the keyring."""
    opened: list[Keyring] = []

    @asynccontextmanager
    async def open_desk(app: FastAPI) -> AsyncIterator[None]:
        await require_current_schema(resources.engine, PACKAGE)
        keyring = await open_keyring(settings.keyring)
        opened.append(keyring)
        pool = await open_pool(settings.database, "rapport-feedback-reader")
        app.state.resources, app.state.pool = resources, pool
        app.state.desk = Desk.of(settings, resources.engine, pool, keyring)
        yield
        await pool.close()
        await keyring.close()
        await resources.engine.dispose()

    app = http.create_app(
        SERVICE,
        settings,
        (
            *_ROUTERS,
            make_ops_router(subscription(settings, opened), sender.subscription(FEEDBACK)),
            make_deliveries_router(),
        ),
        metrics=resources.metrics,
        keys=keys,
        checks=_checks(resources, opened),
        lifespan=open_desk,
        open_paths=frozenset({page.PATH}),
    )
    install_handlers(app)
    app.user_middleware.append(Middleware(Doorway, page.router))
    return app


def _checks(resources: Resources, opened: Sequence[Keyring]) -> Mapping[str, Check]:
    return {"database": database_check(resources.engine), "keyring": keyring_check(opened)}


def api_component(settings: FeedbackSettings, resources: Resources) -> Component:
    return http_component(create_app(settings, resources, Keys(settings.keys_file)), settings.http)


def worker_component(settings: FeedbackSettings, resources: Resources) -> Component:
    """Finds who may be asked, keeps what decides it, and publishes what follows."""

    async def work(stop: asyncio.Event) -> None:
        await require_current_schema(resources.engine, PACKAGE)
        if settings.definitions_dir is not None:
            await load(resources.engine, read_path(settings.definitions_dir))
        keyring = await open_keyring(settings.keyring)
        try:
            await asyncio.gather(
                run_subscription(subscription(settings, [keyring]), resources, stop=stop),
                outbox.relay(settings, resources.engine, stop),
                inbox.keep_pruned(resources.engine, stop),
            )
        finally:
            await keyring.close()

    return work


def asker_component(settings: FeedbackSettings, resources: Resources) -> Component:
    """Asks whose time has come, or says why not."""

    async def work(stop: asyncio.Event) -> None:
        await require_current_schema(resources.engine, PACKAGE)
        keyring = await open_keyring(settings.keyring)
        try:
            await ask(resources, Tools(settings, keyring), stop)
        finally:
            await keyring.close()

    return work


def reminders_component(settings: FeedbackSettings, resources: Resources) -> Component:
    """Tells owners of follow-ups that those are overdue."""

    async def work(stop: asyncio.Event) -> None:
        await require_current_schema(resources.engine, PACKAGE)
        await remind(resources, settings, stop)

    return work


def sender_component(settings: FeedbackSettings, resources: Resources) -> Component:
    """Brings invitations to people."""

    async def work(stop: asyncio.Event) -> None:
        await require_current_schema(resources.engine, PACKAGE)
        keyring = await open_keyring(settings.keyring)
        pool = await open_pool(settings.database, "rapport-feedback-sender")
        try:
            await send(settings, resources, keyring, pool, stop)
        finally:
            await pool.close()
            await keyring.close()

    return work


async def migrate_all(settings: FeedbackSettings) -> None:
    """The service's own database, and the keyring's, which belongs to all."""
    await migrate(PACKAGE, settings.database.url)
    await keyring_migrations.migrate(settings.keyring.url)
