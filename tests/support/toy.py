"""A projection so plain that every mistake of the loop shows: one row for each time it applies."""

from collections.abc import Sequence
from typing import Final

from rapport_events.envelope import Record
from rapport_runtime.database import driver
from rapport_runtime.metrics import Metrics
from rapport_runtime.rebuild.builds import projection_build
from rapport_runtime.settings import Settings
from rapport_runtime.subscription import Derived, Resources, Subscription
from rapport_runtime.tables import runtime_tables
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from tests.support.events import happened, new_subject

METADATA: Final = MetaData()
RUNTIME: Final = runtime_tables(METADATA)
BUILDS: Final = projection_build(METADATA)
EFFECT: Final = Table(
    "effect",
    METADATA,
    Column("projector", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("subject", Text),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
)
"""Without a key: an event that is applied twice must be seen, not refused."""

_COLUMNS: Final = [column.name for column in EFFECT.c]


async def prepare(url: str) -> None:
    """The toy's tables, and the runtime's."""
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    await engine.dispose()


def toy(name: str, *topics: str, whole: bool = True) -> Subscription:
    """A subscription that writes one row per event it is given."""

    async def apply(tx: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        await write_effects(tx, name, batch)
        return ()

    return Subscription(name=name, topics=topics, apply=apply, whole=whole)


async def write_effects(tx: AsyncConnection, projector: str, batch: Sequence[Record]) -> None:
    rows = [
        (projector, it.envelope.id, it.envelope.subject, it.topic, it.partition, it.offset)
        for it in batch
    ]
    connection = await driver(tx)
    await connection.copy_records_to_table("effect", records=rows, columns=_COLUMNS)


async def effects(engine: AsyncEngine, projector: str) -> dict[str, int]:
    """How many times each event was applied, by its id."""
    query = (
        select(EFFECT.c.event_id, func.count())
        .where(EFFECT.c.projector == projector)
        .group_by(EFFECT.c.event_id)
    )
    async with engine.connect() as connection:
        return {row[0]: row[1] for row in await connection.execute(query)}


def visits(number: int) -> list[Record]:
    """So many events of as many customers."""
    return [happened("page.viewed", new_subject()) for _ in range(number)]


def once(records: Sequence[Record]) -> dict[str, int]:
    """What `effects` must be when each of these was applied once."""
    return {record.envelope.id: 1 for record in records}


def settings_for(bootstrap: str, url: str, **worker: float) -> Settings:
    """Settings of a test's own, whatever the environment says."""
    return Settings(
        kafka={"bootstrap": bootstrap, "idempotence": False, "session_timeout_ms": 2_000},
        database={"url": url},
        worker=worker,
    )


def resources_for(settings: Settings, engine: AsyncEngine, *, emit: bool = True) -> Resources:
    return Resources(settings=settings, engine=engine, metrics=Metrics("toy"), emit=emit)
