"""The metrics service in this process: its API over ASGI, its projection one call away."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Self

import httpx2
from fastapi import FastAPI
from rapport_cli.stack.broker import Broker
from rapport_events.envelope import Record
from rapport_metrics.main import create_app, make_resources, make_subscription
from rapport_metrics.settings import MetricsSettings
from rapport_runtime.database import migrate
from rapport_runtime.http.auth import Keys
from rapport_runtime.http.keyfile import add_key
from rapport_runtime.inbox import fresh
from rapport_runtime.subscription import Resources


@dataclass(frozen=True)
class Callers:
    """API keys of callers with different scopes."""

    keys_file: Path
    keys: dict[str, str]

    @classmethod
    def make(cls, directory: Path) -> Self:
        path = directory / "keys.json"
        callers = {
            "analyst": ["metrics:read"],
            "ops": ["metrics:read", "ops:read", "ops:write"],
            "agent": ["profile:read"],
        }
        return cls(path, {name: add_key(path, name, scopes)[0] for name, scopes in callers.items()})


@dataclass
class House:
    """A metrics service that runs."""

    app: FastAPI
    client: httpx2.AsyncClient
    resources: Resources
    callers: Callers

    async def tell(self, records: Iterable[Record], batch: int = 2_000) -> None:
        """Counts the records as the worker would, in batches."""
        settings = self.resources.settings
        assert isinstance(settings, MetricsSettings)
        metrics, rest = make_subscription(settings), iter(records)
        while taken := list(islice(rest, batch)):
            async with self.resources.engine.begin() as tx:
                sifted = await fresh(metrics.name, tx, taken)
                if sifted.new:
                    await metrics.apply(tx, sifted.new)

    async def get(
        self, path: str, caller: str | None = "analyst", /, **query: str | int
    ) -> httpx2.Response:
        key = {} if caller is None else {"authorization": f"Bearer {self.callers.keys[caller]}"}
        named = {"from" if name == "start" else name: value for name, value in query.items()}
        return await self.client.get(path, params=named, headers=key)

    async def put(self, path: str, body: object, caller: str = "ops") -> httpx2.Response:
        key = {"authorization": f"Bearer {self.callers.keys[caller]}"}
        return await self.client.put(path, json=body, headers=key)

    async def read(self, path: str, **query: str | int) -> dict[str, Any]:
        """The answer of a GET that succeeds. `start` is sent as `from`."""
        answer = await self.get(path, "analyst", **query)
        assert answer.status_code == httpx2.codes.OK, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def series(self, kpi: str, **query: str | int) -> Sequence[dict[str, Any]]:
        document = await self.read(f"/v1/kpis/{kpi}", **query)
        series: Sequence[dict[str, Any]] = document["series"]
        return series

    async def post(self, path: str, caller: str = "ops") -> httpx2.Response:
        key = {"authorization": f"Bearer {self.callers.keys[caller]}"}
        return await self.client.post(path, headers=key)


@asynccontextmanager
async def open_house(
    database: str, callers: Callers, broker: Broker | None = None, **kpi: object
) -> AsyncIterator[House]:
    """`kpi`: settings of the definitions. `broker`: for those who read the log themselves."""
    settings = MetricsSettings.model_validate(
        {
            "env": "dev",
            "kafka": {"bootstrap": "127.0.0.1:1" if broker is None else broker.bootstrap},
            "database": {"url": database},
            "keys_file": callers.keys_file,
            "kpi": kpi,
        }
    )
    resources = make_resources(settings)
    app = create_app(settings, resources, Keys(callers.keys_file))
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://metrics.test") as client,
    ):
        yield House(app, client, resources, callers)


async def prepare_metrics(url: str) -> None:
    await migrate("rapport_metrics", url)
