"""The worker: a Faust app around the common loop, with timers, a crontab and an agent.

Faust supervises and wakes up; what is true stands in the database.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, Final

import structlog
from aiokafka import TopicPartition
from mode import Service
from rapport_events.envelope import Record
from rapport_privacy.keyring import Keyring
from rapport_runtime import inbox, outbox
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.pause import pause
from rapport_runtime.subscription import (
    Derived,
    Resources,
    Subscription,
    run_subscription,
)
from rapport_runtime.watchdog import Watchdog
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization.calendar import look_ahead
from rapport_personalization.crew import Crew
from rapport_personalization.deciding import Decider, decide_all_due
from rapport_personalization.faust_app import App, make_app, run_app
from rapport_personalization.jobs import add_jobs
from rapport_personalization.level import is_level
from rapport_personalization.pulse import Pulse
from rapport_personalization.reactions import Reactions
from rapport_personalization.rules import Rulebook
from rapport_personalization.scoring import Scorer
from rapport_personalization.settings import PersonalizationSettings
from rapport_personalization.suggesting import Suggester

_RETRY_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 1.0
_HOURLY: Final = "7 * * * *"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Shop:
    """What the worker works with."""

    settings: PersonalizationSettings
    resources: Resources
    keyring: Keyring
    rulebook: Rulebook
    projection: Subscription
    models: Subscription


async def work(shop: Shop, stop: asyncio.Event) -> None:
    """Until `stop`; with a new app each time that the broker was away for too long."""
    watchdog = Watchdog(2 * shop.settings.worker.stall_seconds).start()
    try:
        while not stop.is_set():
            try:
                await _session(shop, stop, watchdog)
            except WAITED_FOR as error:
                if not is_environment(error):
                    raise
                log.warning("worker waits", reason=type(error).__name__)
                watchdog.waiting = 0
                await pause(stop, _RETRY_SECONDS)
    finally:
        watchdog.stop()


async def _session(shop: Shop, stop: asyncio.Event, watchdog: Watchdog) -> None:
    app = make_app(shop.models.name, shop.settings)
    crew, pulse = Crew(app, stop), Pulse()
    shop = replace(shop, projection=_stirring(shop.projection, pulse))
    _add_services(app, shop, crew, stop)
    _add_timers(app, shop, crew, watchdog, pulse)
    _add_jobs(app, shop, crew, stop)
    _add_agent(app, shop, crew, stop)

    async def drain() -> None:
        # No further turn is to be expected.
        watchdog.waiting = 0
        await crew.drain()

    await run_app(app, stop, drain)


def _stirring(projection: Subscription, pulse: Pulse) -> Subscription:
    """The same, and whoever decides is told that something has happened."""

    async def apply(tx: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        derived = await projection.apply(tx, batch)
        pulse.stir(monotonic())
        return derived

    return replace(projection, apply=apply)


def _add_services(app: App, shop: Shop, crew: Crew, stop: asyncio.Event) -> None:
    """Each runs as long as the app; the high-volume log is read by the common loop."""
    settings, resources = shop.settings, shop.resources

    @app.service
    class Projector(Service):
        @Service.task
        async def project(self) -> None:
            await crew.do(run_subscription(shop.projection, resources, stop=stop))

    @app.service
    class Relay(Service):
        @Service.task
        async def publish(self) -> None:
            await crew.do(outbox.relay(settings, resources.engine, stop, crew.news))

    @app.service
    class Pruner(Service):
        @Service.task
        async def prune(self) -> None:
            await crew.do(inbox.keep_pruned(resources.engine, stop))


async def _wait_out(job: Awaitable[None]) -> None:
    """The environment is waited for: the next turn comes soon."""
    try:
        await job
    except WAITED_FOR as error:
        if not is_environment(error):
            raise
        log.warning("turn given up", reason=type(error).__name__)


def _add_timers(app: App, shop: Shop, crew: Crew, watchdog: Watchdog, pulse: Pulse) -> None:
    @app.timer(interval=shop.settings.deciding.every_seconds)  # type: ignore[untyped-decorator]  # faust's
    async def decide() -> None:
        if pulse.is_time(monotonic()):
            await crew.do(_wait_out(_decide(shop, pulse)))
            crew.news.set()
        # From the first turn on the next one must come.
        watchdog.waiting = 0 if app.should_stop else 1
        watchdog.alive()

    @app.crontab(_HOURLY)
    async def look_at_calendar() -> None:
        await crew.do(_wait_out(_look_ahead(shop)))

    @app.task  # type: ignore[untyped-decorator]  # faust's
    async def look_at_calendar_first() -> None:
        """Whatever a worker that was not there has missed."""
        await crew.do(_wait_out(_look_ahead(shop)))


def _add_jobs(app: App, shop: Shop, crew: Crew, stop: asyncio.Event) -> None:
    engine = shop.resources.engine
    scorer = Scorer(engine, shop.rulebook, shop.settings.scoring)
    suggester = Suggester(engine, shop.rulebook, ready=_ready(shop))
    add_jobs(app, scorer, suggester, lambda job: crew.do(_wait_out(job)), stop)


def _ready(shop: Shop) -> Callable[[AsyncConnection], Awaitable[bool]]:
    lag = timedelta(seconds=shop.settings.deciding.lag_seconds)

    async def is_ready(tx: AsyncConnection) -> bool:
        return await is_level(tx, shop.projection, shop.resources, lag)

    return is_ready


async def _decide(shop: Shop, pulse: Pulse) -> None:
    settings = shop.settings.deciding

    decider = Decider(
        shop.resources.engine, shop.keyring, shop.rulebook, settings.batch, ready=_ready(shop)
    )
    pulse.rest(monotonic(), await decide_all_due(decider))


async def _look_ahead(shop: Shop) -> None:
    horizon = timedelta(hours=shop.settings.deciding.horizon_hours)
    await look_ahead(shop.resources.engine, shop.rulebook, datetime.now(UTC), horizon)


def _add_agent(app: App, shop: Shop, crew: Crew, stop: asyncio.Event) -> None:
    """Low-volume topics come through an agent; it may be late or told twice, never wrong."""
    reactions = Reactions(shop.models, shop.resources, stop)
    (name,) = shop.models.topics
    topic = app.topic(name, key_type=bytes, value_type=bytes)

    @app.agent(topic, name=shop.models.name, concurrency=1)
    async def react(stream: Any) -> None:  # noqa: ANN401 - faust's
        async for event in stream.events():
            message = event.message
            try:
                await reactions.take(message, app.consumer.highwater(message.tp) or 0)
            except asyncio.CancelledError:
                # A rebalance. Faust acknowledges the event nevertheless; `look` finds it again.
                raise
            except BaseException as error:
                # To let it out is not enough: Faust would acknowledge the event and go on.
                await app.crash(error)
                raise

    @app.timer(interval=_LOOK_SECONDS)  # type: ignore[untyped-decorator]  # faust's
    async def look() -> None:
        with suppress(*WAITED_FOR):
            for place in app.consumer.assignment():
                end = app.consumer.highwater(place) or 0
                partition = TopicPartition(place.topic, place.partition)
                await crew.do(reactions.look(partition, end))
