"""A metrics service on a log of its own: what it counted, and commands that count it again."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from rapport_cli.stack.broker import Broker
from rapport_cli.stack.topics import create_topics
from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS, FEEDBACK, INTERACTIONS
from rapport_metrics.projection import projection
from rapport_metrics.settings import MetricsSettings
from rapport_runtime.rebuild import Site
from rapport_runtime.subscription import run_subscription
from sqlalchemy import text

from tests.support import publish
from tests.support.metrics_house import Callers, House, open_house


@dataclass
class Log:
    """The topics of a broker that tests share: they never get shorter."""

    broker: Broker
    ends: publish.Positions = field(default_factory=dict)

    @classmethod
    async def make(cls, broker: Broker, partitions: int = 3) -> "Log":
        topics = [INTERACTIONS.name, CUSTOMERS.name, FEEDBACK.name]
        await create_topics(broker.bootstrap, topics, partitions=partitions)
        return cls(broker)

    async def tell(self, records: Iterable[Record]) -> None:
        by_topic = defaultdict(list)
        for record in records:
            by_topic[record.topic].append(record)
        for topic, some in by_topic.items():
            self.ends |= await publish.publish(self.broker.bootstrap, topic, some)


@dataclass(frozen=True)
class Counted:
    """A metrics service that follows a log."""

    log: Log
    house: House

    @property
    def settings(self) -> MetricsSettings:
        settings = self.house.resources.settings
        assert isinstance(settings, MetricsSettings)
        return settings

    @property
    def site(self) -> Site:
        return self.site_that_keeps()

    def site_that_keeps(self, *definitions: str) -> Site:
        return Site(
            projection=projection(self.settings, definitions),
            settings=self.settings,
            engine=self.house.resources.engine,
            tell=lambda *_: None,
        )

    async def count(self) -> None:
        """The live version, level with the log."""
        until = dict(self.log.ends)
        subscription = self.site.projection.subscription
        await run_subscription(subscription, self.house.resources, until=until)

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        async with self.house.resources.engine.begin() as connection:
            found = await connection.execute(text(query))
            return [tuple(row) for row in found] if found.returns_rows else []


@asynccontextmanager
async def open_counted(
    log: Log, database: str, callers: Callers, **kpi: object
) -> AsyncIterator[Counted]:
    """`kpi`: settings of the definitions."""
    async with open_house(database, callers, log.broker, **kpi) as house:
        yield Counted(log, house)
