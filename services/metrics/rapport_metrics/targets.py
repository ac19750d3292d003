"""What a KPI should be, and what is said when it is not."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import orjson
from rapport_events.topics import METRICS
from rapport_runtime import outbox
from rapport_runtime.database import driver
from rapport_runtime.pool import Snapshot
from rapport_runtime.subscription import Derived
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_metrics.closing import SOURCE
from rapport_metrics.domain.catalogue import CATALOGUE
from rapport_metrics.question import Question
from rapport_metrics.series import Point, load_points
from rapport_metrics.settings import MetricsSettings

MILLIONTHS: Final = 1_000_000
_HOUR: Final = timedelta(hours=1)

_LOAD: Final = """
SELECT name, kpi, dims::text, window_days, at_least, at_most, least_den, is_raised, changed_at,
    value FROM target ORDER BY name
"""

_PUT: Final = """
INSERT INTO target (name, kpi, dims, window_days, at_least, at_most, least_den)
VALUES ($1, $2, $3::text::json, $4, $5, $6, $7)
ON CONFLICT (name) DO UPDATE SET kpi = excluded.kpi, dims = excluded.dims,
    window_days = excluded.window_days, at_least = excluded.at_least,
    at_most = excluded.at_most, least_den = excluded.least_den
"""

_TURN: Final = "UPDATE target SET is_raised = $2, changed_at = $3, value = $4 WHERE name = $1"
_DROP: Final = "DELETE FROM target WHERE name = $1"


class Target(NamedTuple):
    """A KPI of the last days should lie in a range; bounds and value in millionths of its unit."""

    name: str
    kpi: str
    dims: Mapping[str, str]
    window_days: int
    at_least: int | None
    at_most: int | None
    least_den: int
    """With fewer units than this there is nothing to be alarmed about, or to be glad of."""
    is_raised: bool = False
    changed_at: datetime | None = None
    value: int | None = None

    def is_missed(self, value: int) -> bool:
        low = self.at_least is not None and value < self.at_least
        return low or (self.at_most is not None and value > self.at_most)


async def load_targets(snap: Snapshot) -> list[Target]:
    rows = await snap.fetch(_LOAD)
    return [Target(row[0], row[1], orjson.loads(row[2]), *row[3:]) for row in rows]


async def put_target(tx: AsyncConnection, target: Target) -> None:
    connection = await driver(tx)
    dims = orjson.dumps(dict(target.dims)).decode()
    await connection.execute(_PUT, target.name, target.kpi, dims, *target[3:7])


async def drop_target(tx: AsyncConnection, name: str) -> bool:
    connection = await driver(tx)
    return str(await connection.execute(_DROP, name)).endswith("1")


async def watch_targets(tx: AsyncConnection, settings: MetricsSettings, now: datetime) -> int:
    """Raises and clears alerts; how many."""
    connection = await driver(tx)
    turned = []
    for target in await load_targets(connection):
        value = await measure(connection, target, settings, now)
        if value is None or target.is_missed(value) == target.is_raised:
            continue
        raised = not target.is_raised
        await connection.execute(_TURN, target.name, raised, now, value)
        turned.append(_turned(target, value, now, raised=raised))
    await outbox.add(tx, turned)
    return len(turned)


async def measure(
    snap: Snapshot, target: Target, settings: MetricsSettings, now: datetime
) -> int | None:
    """What the KPI is, in millionths; None when there are too few units to say.

    Nor is there one number where there are several currencies.
    """
    points = await load_now(snap, target, settings, now)
    if len(points) != 1 or points[0].reading.den < target.least_den:
        return None
    return in_millionths(points[0])


def in_millionths(point: Point) -> int | None:
    value = point.reading.value
    return None if value is None else round(value * MILLIONTHS)


async def load_now(
    snap: Snapshot, target: Target, settings: MetricsSettings, now: datetime
) -> list[Point]:
    """What a target is about, by currency where there are several."""
    end = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + _HOUR
    question = Question(
        kpi=CATALOGUE[target.kpi],
        windows=[(end - timedelta(days=target.window_days), end)],
        as_of=now.astimezone(ZoneInfo("UTC")),
        group_by=(),
        filters=target.dims,
        churn_window=settings.kpi.churn_window(),
        options=settings.options(),
    )
    return await load_points(snap, question)


def _turned(target: Target, value: int, now: datetime, *, raised: bool) -> Derived:
    bounds: Sequence[int | None] = (target.at_least, target.at_most)
    bound = next(bound for bound in bounds if bound is not None)
    digest = blake2b(f"{target.name} {now.isoformat()} {raised}".encode(), digest_size=16)
    return Derived(
        cause=digest.digest(),
        rule="alert",
        topic=METRICS.name,
        source=SOURCE,
        type="alert.raised.v1" if raised else "alert.cleared.v1",
        time=now.astimezone(UTC),
        data={
            "alert": target.name,
            "kpi": target.kpi,
            "dims": dict(target.dims),
            "value": value / MILLIONTHS,
            "target": bound / MILLIONTHS,
        },
    )
