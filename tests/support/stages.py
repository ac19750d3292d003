"""Workers that find out about stages, and what was told of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from rapport_events.envelope import Record
from rapport_profile.sweep import sweep_once
from rapport_runtime.metrics import Metrics
from rapport_runtime.subscription import Resources
from sqlalchemy.ext.asyncio import create_async_engine

from tests.support.events import NOON, days, happened
from tests.support.profile_house import Secrets, settings_of
from tests.support.projection import told_stages

Told = tuple[object, object, str, object]


@asynccontextmanager
async def a_worker(url: str, secrets: Secrets) -> AsyncIterator[Resources]:
    engine = create_async_engine(url)
    yield Resources(settings=settings_of(url, url, secrets), engine=engine, metrics=Metrics("test"))
    await engine.dispose()


def placed(
    subject: str, at: datetime, order: str | None = None, told: datetime | None = None
) -> Record:
    name = order or f"o-{(at - NOON).days}"
    return happened("order.placed", subject, at, told=told, order=name, amount=900, currency="EUR")


async def told(worker: Resources, subject: str) -> list[Told]:
    """before, after, day since noon of the first of March, reason."""
    found = []
    for event in await told_stages(worker.engine):
        data = event["data"]
        assert isinstance(data, dict)
        if event["subject"] == subject:
            day = (datetime.fromisoformat(data["at"]) - NOON) / days(1)
            found.append((data.get("before"), data["after"], f"{day:g}", data["reason"]))
    return found


async def sweep_all(worker: Resources, now: datetime, most: int = 500) -> None:
    while await sweep_once(worker, now, most):
        pass
