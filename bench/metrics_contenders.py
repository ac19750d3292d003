"""Three ways to keep KPIs level with a log; one process each, so that none helps another.

`python -m bench.metrics_contenders NAME BOOTSTRAP EVENTS DATABASE_URL` reads the interactions'
topic from its beginning until EVENTS events are counted, and prints seconds, CPU seconds, events
and its memory as JSON.

rapport    the metrics projector with every KPI on
faust      a Faust agent with windowed Tables: NPS, CSAT, AHT and order revenue by day, no more,
           written as its guide does: JSON, and the settings that it comes with
faust_tuned the same with our codec and the settings that help it most
recompute  for every event the history of its ticket, call, survey or order is folded again, and
           its facts rewritten in a transaction of their own; nothing that spans entities
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import faust
import uvloop
from rapport_events.codec import decode, decode_data
from rapport_events.envelope import Record, event_key
from rapport_events.topics import INTERACTIONS
from rapport_events.wire import CallLegEnded, Data, OrderPlaced, SurveyResponded
from rapport_metrics.consumer import happening, subscription
from rapport_metrics.domain.engine import run
from rapport_metrics.domain.happening import entity
from rapport_metrics.domain.working import Working
from rapport_metrics.settings import MetricsWorkerSettings
from rapport_metrics.store import dims_id
from rapport_runtime.database import create_engine
from rapport_runtime.metrics import Metrics
from rapport_runtime.serve import tune_collector
from rapport_runtime.subscription import Resources, run_subscription
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bench.contenders import consumer_of, ends_of, settings
from bench.report import resident_mib

_began = [0.0, 0.0]
"""Wall clock and CPU seconds of this process when the measurement began."""

_PROMOTER, _DETRACTOR, _SATISFIED = 9, 6, 4


async def rapport(bootstrap: str, _: int, url: str) -> None:
    consumer = await consumer_of(bootstrap, INTERACTIONS.name)
    ends = await ends_of(consumer)
    await consumer.stop()
    _begin()
    chosen = settings(bootstrap, url).model_copy(update={"worker": MetricsWorkerSettings()})
    engine = create_engine(chosen)
    resources = Resources(settings=chosen, engine=engine, metrics=Metrics("bench"))
    await run_subscription(subscription(), resources, until=ends)
    await engine.dispose()


def faust_windows(bootstrap: str, events: int, *, is_tuned: bool) -> None:
    """A Faust worker that reports and ends at the last event."""
    app = faust.App(
        f"bench-{os.getpid()}",
        broker=f"kafka://{bootstrap}",
        store="memory://",
        # It makes one, although it keeps nothing there.
        datadir=tempfile.mkdtemp(prefix="bench-faust-"),
        web_enabled=False,
        topic_partitions=int(os.environ["BENCH_PARTITIONS"]),
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=10,
        broker_heartbeat_interval=3,
        **(_TUNED if is_tuned else {}),
    )
    now = [0.0]
    day: Any = app.Table("kpis", default=int).tumbling(
        timedelta(days=1), expires=timedelta(days=400)
    )
    totals = day.relative_to(lambda _: now[0])
    serializer, read = ("raw", _read_fast) if is_tuned else ("json", _read_json)
    source = app.topic(INTERACTIONS.name, value_serializer=serializer, key_serializer="raw")

    @app.agent(source)
    async def count(stream: Any) -> None:  # noqa: ANN401 - Faust's stream
        done = 0
        async for value in stream:
            if not done:
                _begin()
            now[0], counted = read(value)
            for kpi, num in counted:
                totals[f"{kpi}.num"] += num
                totals[f"{kpi}.den"] += 1
            done += 1
            if done == events:
                _report(events)
                os._exit(0)  # the worker's own way out takes longer than the measurement

    worker = faust.Worker(app, loglevel="error", override_logging=True, redirect_stdouts=False)
    worker.execute_from_commandline()


_TUNED: Final[dict[str, Any]] = {"producer_linger_ms": 50, "broker_max_poll_records": 5_000}
"""Of all settings that were tried these two help: a quarter less processor time."""


def _read_json(event: dict[str, Any]) -> tuple[float, Iterator[tuple[str, int]]]:
    at = datetime.fromisoformat(event["time"]).timestamp()
    return at, _four_of_json(event["type"], event["data"])


def _four_of_json(type_: str, data: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """The same as `four_kpis`, of what JSON is read into."""
    if type_ == "survey.responded.v1" and isinstance(score := data.get("score"), int):
        if data.get("kind") == "nps":
            yield "nps", (score >= _PROMOTER) - (score <= _DETRACTOR)
        elif data.get("kind") == "csat":
            yield "csat", int(score >= _SATISFIED)
    elif type_ == "call.leg_ended.v1":
        yield "aht", sum(data.get(name) or 0 for name in ("talk", "hold", "wrap"))
    elif type_ == "order.placed.v1" and isinstance(amount := data.get("amount"), int):
        yield "revenue", amount


def _read_fast(value: bytes) -> tuple[float, Iterator[tuple[str, int]]]:
    envelope = decode(value)
    return envelope.time.timestamp(), four_kpis(decode_data(envelope))


def four_kpis(data: Data) -> Iterator[tuple[str, int]]:
    """What an event adds to NPS, CSAT, AHT and order revenue, had it come once and in order."""
    match data:
        case SurveyResponded(kind="nps", score=int(score)):
            yield "nps", (score >= _PROMOTER) - (score <= _DETRACTOR)
        case SurveyResponded(kind="csat", score=int(score)):
            yield "csat", int(score >= _SATISFIED)
        case CallLegEnded():
            yield "aht", (data.talk or 0) + (data.hold or 0) + (data.wrap or 0)
        case OrderPlaced(amount=int(amount)):
            yield "revenue", amount


async def recompute(bootstrap: str, events: int, url: str) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        for statement in _TABLES:
            await connection.execute(text(statement))
    consumer = await consumer_of(bootstrap, INTERACTIONS.name)
    _begin()
    for _ in range(events):
        raw = await consumer.getone()
        await _recount(engine, _record(raw.value, raw.partition, raw.offset))
    await consumer.stop()
    await engine.dispose()


_TABLES: Final = (
    "CREATE TABLE history (entity text, key bytea, value bytea, PRIMARY KEY (entity, key))",
    "CREATE TABLE fact (entity text, metric text, bucket int, dims bigint, num bigint, den bigint)",
    "CREATE INDEX ON fact (entity)",
)
_REMEMBER: Final = text("INSERT INTO history VALUES (:entity, :key, :value) ON CONFLICT DO NOTHING")
_RECALL: Final = text("SELECT value FROM history WHERE entity = :entity")
_FORGET: Final = text("DELETE FROM fact WHERE entity = :entity")
_WRITE: Final = text("INSERT INTO fact VALUES (:entity, :metric, :bucket, :dims, :num, :den)")


async def _recount(engine: AsyncEngine, record: Record) -> None:
    told = happening(record)
    ref = None if told is None else entity(told)
    name = f"{record.envelope.subject}" if ref is None else f"{ref.kind}:{ref.id}"
    async with engine.begin() as tx:
        event = {"entity": name, "key": record.key, "value": record.value}
        await tx.execute(_REMEMBER, event)
        if ref is None:
            return
        rows = await tx.execute(_RECALL, {"entity": name})
        found = [happening(_record(value, 0, 0)) for (value,) in rows]
        await tx.execute(_FORGET, {"entity": name})
        history = [one for one in found if one is not None]
        working = Working(history, purge_erased=False)
        while missing := working.missing():
            working.supply(missing, {})
        facts = [
            {"entity": name, "metric": cell.metric, "bucket": cell.bucket,
             "dims": dims_id(cell.dims), "num": num, "den": den}
            for cell, (num, den) in run(working, history).cells.items()
        ]  # fmt: skip
        if facts:
            await tx.execute(_WRITE, facts)


def _record(value: bytes, partition: int, offset: int) -> Record:
    envelope = decode(value)
    return Record(
        topic=INTERACTIONS.name,
        partition=partition,
        offset=offset,
        key=event_key(envelope.source, envelope.id),
        envelope=envelope,
        value=value,
    )


CONTENDERS: dict[str, Callable[[str, int, str], Awaitable[None]]] = {
    "rapport": rapport,
    "recompute": recompute,
}


def main(name: str, bootstrap: str, events: str, url: str) -> None:
    # As our own workers set it, for each contender.
    tune_collector()
    if name in {"faust", "faust_tuned"}:
        uvloop.install()
        faust_windows(bootstrap, int(events), is_tuned=name == "faust_tuned")
        return
    _begin()
    uvloop.run(_timed(CONTENDERS[name](bootstrap, int(events), url)))
    _report(int(events))


def _begin() -> None:
    """Faust is timed from its first event on; so the others do not count their preparations."""
    _began[:] = time.perf_counter(), time.process_time()


def _report(events: int) -> None:
    wall, cpu = _began
    result = {
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "events": events,
        "rss_mib": resident_mib(os.getpid()),
    }
    sys.stdout.write("\n" + json.dumps(result) + "\n")
    sys.stdout.flush()


async def _timed(work: Awaitable[None]) -> None:
    await work


if __name__ == "__main__":
    main(*sys.argv[1:])
