"""Wiring: what the metrics service consists of, without logic."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI
from rapport_runtime import inbox, outbox
from rapport_runtime.database import create_engine, migrate, require_current_schema
from rapport_runtime.http import app as http
from rapport_runtime.http.auth import Keys
from rapport_runtime.http.health import database_check
from rapport_runtime.http.ops import make_ops_router
from rapport_runtime.http.unavailable import install_handlers
from rapport_runtime.metrics import Metrics
from rapport_runtime.pool import open_pool
from rapport_runtime.serve import Component, http_component
from rapport_runtime.subscription import Resources, Subscription, run_subscription

from rapport_metrics.api import behind, compare, held, kpis, ledger, predictions, stream, targets
from rapport_metrics.board import open_board
from rapport_metrics.consumer import subscription
from rapport_metrics.kept import definitions_check
from rapport_metrics.nightly import fit_nightly
from rapport_metrics.settings import MetricsSettings
from rapport_metrics.watch import watch

PACKAGE: Final = "rapport_metrics"
SERVICE: Final = "metrics"

_ROUTERS: Final = (behind.router, kpis.router, ledger.router, targets.router)


def make_resources(settings: MetricsSettings) -> Resources:
    """What the API and the worker of one process share."""
    return Resources(settings=settings, engine=create_engine(settings), metrics=Metrics(SERVICE))


def create_app(settings: MetricsSettings, resources: Resources, keys: Keys) -> FastAPI:
    """The HTTP door."""

    @asynccontextmanager
    async def open_house(app: FastAPI) -> AsyncIterator[None]:
        await require_current_schema(resources.engine, PACKAGE)
        app.state.resources = resources
        app.state.pool = pool = await open_pool(settings.database, "rapport-metrics-reader")
        stopping = getattr(app.state, "stopping", asyncio.Event())
        async with open_board(settings, pool, resources.metrics, stopping) as app.state.board:
            yield
        await pool.close()
        await resources.engine.dispose()

    app = http.create_app(
        SERVICE,
        settings,
        (
            behind.router,
            # Before the KPIs: `compare` is not the name of one.
            compare.router,
            kpis.router,
            ledger.router,
            targets.router,
            predictions.router,
            stream.router,
            held.router,
            make_ops_router(make_subscription(settings)),
        ),
        metrics=resources.metrics,
        keys=keys,
        checks={
            "database": database_check(resources.engine),
            "definitions": definitions_check(resources.engine, settings.options()),
        },
        lifespan=open_house,
    )
    install_handlers(app)
    return app


def api_component(settings: MetricsSettings, resources: Resources) -> Component:
    return http_component(create_app(settings, resources, Keys(settings.keys_file)), settings.http)


def worker_component(settings: MetricsSettings, resources: Resources) -> Component:
    """Keeps the totals level with the log, and publishes what follows."""

    async def work(stop: asyncio.Event) -> None:
        await require_current_schema(resources.engine, PACKAGE)
        await asyncio.gather(
            run_subscription(
                subscription(settings.options(), settings.definitions()), resources, stop=stop
            ),
            outbox.relay(settings, resources.engine, stop),
            inbox.keep_pruned(resources.engine, stop),
        )

    return work


def watch_component(settings: MetricsSettings, resources: Resources) -> Component:
    """Publishes days, tells what changes them, and minds the targets."""

    async def work(stop: asyncio.Event) -> None:
        await require_current_schema(resources.engine, PACKAGE)
        await watch(resources, settings, stop)

    return work


def forecast_component(settings: MetricsSettings, resources: Resources) -> Component:
    """Fits the predictions anew every night."""

    async def work(stop: asyncio.Event) -> None:
        await require_current_schema(resources.engine, PACKAGE)
        await fit_nightly(resources, settings, stop)

    return work


def make_subscription(settings: MetricsSettings) -> Subscription:
    return subscription(settings.options(), settings.definitions())


async def migrate_all(settings: MetricsSettings) -> None:
    await migrate(PACKAGE, settings.database.url)
