"""What has to be done although nothing happens: publish days, tell changes, mind the targets."""

import asyncio
from datetime import UTC, datetime
from typing import Final

import structlog
from prometheus_client import Gauge
from rapport_runtime.database import driver
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.pause import pause
from rapport_runtime.subscription import Resources
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_metrics.closing import close_days, tell_restatements
from rapport_metrics.held import count_held
from rapport_metrics.settings import MetricsSettings
from rapport_metrics.targets import MILLIONTHS, Target, in_millionths, load_now, watch_targets

HEADLINES: Final = (
    "nps", "csat", "ces", "fcr", "aht", "frt", "ttr_full", "sla_frt", "sla_res", "backlog_end",
    "abandonment", "aov", "ccr",
)  # fmt: skip
HEADLINE_DAYS: Final = 30
LABELS: Final = ("kpi", "currency")
"""The currency is named where there are several: amounts of different ones are never added."""

_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(hashtext('rapport.metrics.watch'))")

_log = structlog.get_logger(__name__)


async def watch(resources: Resources, settings: MetricsSettings, stop: asyncio.Event) -> None:
    """Until `stop`; any number of processes may do so at once, one of them is at work."""
    gauge = resources.metrics.gauge("kpi_value", "A headline KPI of the last 30 days", LABELS)
    held = resources.metrics.gauge("held", "Known only from later events", ["kind"])
    while not stop.is_set():
        try:
            await watch_once(resources, settings, datetime.now(UTC), gauge)
            await _count_held(resources, held)
        except WAITED_FOR as error:
            if not is_environment(error):
                raise
            _log.warning("watch waits", reason=type(error).__name__)
        await pause(stop, settings.kpi.watch_seconds)


async def watch_once(
    resources: Resources, settings: MetricsSettings, now: datetime, gauge: Gauge
) -> None:
    """One round: each job in a transaction of its own."""
    for job in (_close, _tell, _mind):
        async with resources.engine.begin() as tx:
            if resources.emit and await tx.scalar(_LOCK):
                await job(tx, settings, now)
    async with resources.engine.connect() as connection:
        snap = await driver(connection)
        for kpi in HEADLINES:
            headline = Target(kpi, kpi, {}, HEADLINE_DAYS, None, None, least_den=0)
            for point in await load_now(snap, headline, settings, now):
                if (value := in_millionths(point)) is not None:
                    gauge.labels(kpi, point.group.get("currency") or "").set(value / MILLIONTHS)


async def _count_held(resources: Resources, gauge: Gauge) -> None:
    async with resources.engine.connect() as connection:
        for kind, count in (await count_held(await driver(connection))).items():
            gauge.labels(kind).set(count)


async def _close(tx: AsyncConnection, _: MetricsSettings, now: datetime) -> None:
    published = await close_days(tx, now)
    if published:
        _log.info("days published", count=published)


async def _tell(tx: AsyncConnection, _: MetricsSettings, now: datetime) -> None:
    await tell_restatements(tx, now)


async def _mind(tx: AsyncConnection, settings: MetricsSettings, now: datetime) -> None:
    await watch_targets(tx, settings, now)
