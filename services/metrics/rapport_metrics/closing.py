"""Days are published, and what changes them afterwards is written down and told.

A day is published when it is over for longer than the grace period. From then on every change of
its totals is a row of the ledger: what is published plus the ledger is what the totals say now.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

import orjson
from rapport_events.topics import METRICS
from rapport_runtime import outbox
from rapport_runtime.database import driver
from rapport_runtime.subscription import Derived
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_metrics.domain.catalogue import kpis_alone
from rapport_metrics.windows import minute

SOURCE: Final = "/rapport/metrics"
GRACE: Final = timedelta(days=1)

_MINUTES_A_DAY: Final = 1_440
_MOST_TOLD: Final = 500
_MOST_CAUSES: Final = 100

_OPEN: Final = "INSERT INTO closing (id, closed_until) VALUES (1, 0) ON CONFLICT DO NOTHING"
_HOLD: Final = "SELECT closed_until FROM closing WHERE id = 1 FOR UPDATE"
_CLOSE: Final = "UPDATE closing SET closed_until = $1 WHERE id = 1"

_PUBLISH: Final = """
INSERT INTO published (metric, day, num, den, at)
SELECT metric, DATE '1970-01-01' + bucket / 1440, sum(num), sum(den), $3
FROM cell WHERE bucket >= $1 AND bucket < $2 GROUP BY 1, 2
"""

_UNTOLD: Final = """
WITH untold AS (
    SELECT metric, day, sum(num)::bigint AS num, sum(den)::bigint AS den, min(id) AS first,
        max(id) AS last
    FROM restatement WHERE told_at IS NULL GROUP BY metric, day ORDER BY metric, day LIMIT $1
)
SELECT metric, day, untold.num, untold.den, last,
    ARRAY(
        SELECT DISTINCT unnest(causes) FROM restatement AS one
        WHERE one.metric = untold.metric AND one.day = untold.day AND one.told_at IS NULL
        ORDER BY 1 LIMIT $2
    ),
    kinds::text
FROM untold JOIN restatement USING (metric, day) WHERE restatement.id = untold.first
ORDER BY metric, day
"""

_BEFORE: Final = """
SELECT coalesce(max(published.num), 0) + coalesce(sum(restatement.num), 0)::bigint,
    coalesce(max(published.den), 0) + coalesce(sum(restatement.den), 0)::bigint
FROM (SELECT $1::text AS metric, $2::date AS day) AS asked
LEFT JOIN published USING (metric, day)
LEFT JOIN restatement ON restatement.metric = asked.metric AND restatement.day = asked.day
    AND restatement.told_at IS NOT NULL
"""

_KEPT: Final = "SELECT definition FROM kept"

_TELL: Final = """
UPDATE restatement SET told_at = $4
WHERE metric = $1 AND day = $2 AND id <= $3 AND told_at IS NULL
"""


async def close_days(tx: AsyncConnection, now: datetime, grace: timedelta = GRACE) -> int:
    """Publishes the days that are over by now; how many totals that are.

    The row that is locked here is read, and so waited for, by every batch before it commits: no
    change falls between a day's publication and its ledger.
    """
    connection = await driver(tx)
    await connection.execute(_OPEN)
    closed = await connection.fetchval(_HOLD)
    until = minute(now - grace) // _MINUTES_A_DAY * _MINUTES_A_DAY
    if until <= closed:
        return 0
    done = await connection.execute(_PUBLISH, closed, until, now)
    await connection.execute(_CLOSE, until)
    return int(done.rpartition(" ")[2])


async def tell_restatements(tx: AsyncConnection, now: datetime) -> int:
    """Publishes what the ledger holds that nobody was told yet; how many figures that are."""
    connection = await driver(tx)
    rows = await connection.fetch(_UNTOLD, _MOST_TOLD, _MOST_CAUSES)
    kept = {row[0] for row in await connection.fetch(_KEPT)}
    derived = []
    for metric, day, num, den, last, causes, kinds in rows:
        before = await connection.fetchrow(_BEFORE, metric, day)
        derived += [
            _restated(name, day, (num, den), before, last, causes, kinds, now)
            for name in _named(metric, kept)
        ]
        await connection.execute(_TELL, metric, day, last, now)
    await outbox.add(tx, derived)
    return len(derived)


def _named(metric: str, kept: Collection[str]) -> Iterator[str]:
    """The KPIs whose numbers a metric's totals are, each with its version where it is another.

    What is made of several metrics, such as `revenue_net`, is told by those that it is made of.
    """
    name, _, definition = metric.partition("@")
    if not definition:
        yield from kpis_alone(name)
    elif definition in kept and definition.partition(".")[0] in kpis_alone(name):
        yield definition


def _restated(
    name: str,
    day: date,
    change: tuple[int, int],
    before: Sequence[int],
    last: int,
    causes: Sequence[bytes],
    kinds: str,
    now: datetime,
) -> Derived:
    types: dict[str, int] = orjson.loads(kinds)
    kpi, _, version = name.partition(".")
    data: dict[str, Any] = {
        "kpi": kpi,
        "definition": f"{kpi}.{version or 'v1'}",
        "window": day.isoformat(),
        "num_before": before[0],
        "den_before": before[1],
        "num_after": before[0] + change[0],
        "den_after": before[1] + change[1],
        "cause": max(types, key=lambda type_: types[type_]) if types else None,
        "cause_events": [key.hex() for key in causes if key],
    }
    cause = blake2b(f"{name} {day} {last}".encode(), digest_size=16).digest()
    return Derived(
        cause=cause,
        rule="restated",
        topic=METRICS.name,
        source=SOURCE,
        type="kpi.restated.v1",
        time=now.astimezone(UTC),
        data={name: value for name, value in data.items() if value is not None},
    )
