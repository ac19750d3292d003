"""Projecting records as the worker does, with what follows from them."""

import orjson
from rapport_events.envelope import Record
from rapport_profile import consumer, store
from rapport_runtime import outbox
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine


async def project(engine: AsyncEngine, *records: Record) -> None:
    """One batch in one transaction, with what follows from it in the outbox."""
    async with engine.begin() as tx:
        sifted = await store.fresh(tx, records)
        await outbox.add(tx, await consumer.apply(tx, sifted.new))


async def told_stages(engine: AsyncEngine) -> list[dict[str, object]]:
    """The changes of stage in the outbox, as they will be published, in order."""
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT value FROM outbox ORDER BY id"))
        events = [orjson.loads(value) for (value,) in rows]
    return [event for event in events if event["type"] == "lifecycle.stage_changed.v1"]
