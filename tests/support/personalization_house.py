"""The personalization service in this process: told events, and asked to decide at any time."""

import base64
import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Self

import asyncpg
import httpx2
import orjson
from fastapi import FastAPI
from rapport_cli.stack.broker import Broker
from rapport_events import codec
from rapport_events.envelope import Envelope, Record
from rapport_personalization.calendar import look_ahead
from rapport_personalization.catalogue import install
from rapport_personalization.deciding import Decider, decide_due
from rapport_personalization.main import create_app, make_resources, make_shop
from rapport_personalization.settings import PersonalizationSettings
from rapport_personalization.worker import Shop
from rapport_privacy.crypto import DataKey, unseal
from rapport_privacy.keyring import Keyring
from rapport_privacy.migrations import migrate as migrate_keyring
from rapport_runtime.database import migrate
from rapport_runtime.http.auth import Keys
from rapport_runtime.http.keyfile import add_key
from rapport_runtime.subscription import Resources
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.fixtures import MakeDatabase
from tests.support.privacy import resolved

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Callers:
    """API keys of callers with different scopes."""

    keys_file: Path
    keys: dict[str, str]

    @classmethod
    def make(cls, directory: Path) -> Self:
        path = directory / "keys.json"
        callers = {
            "marketer": ["rules:read", "rules:write"],
            "analyst": ["rules:read"],
            "agent": ["profile:read"],
            "helper": ["notes:write"],
            "ops": ["rules:read", "ops:read", "ops:write"],
        }
        return cls(path, {name: add_key(path, name, scopes)[0] for name, scopes in callers.items()})

    def as_(self, caller: str) -> dict[str, str]:
        """Headers of one of them."""
        return {"authorization": f"Bearer {self.keys[caller]}"}


@dataclass
class House:
    """A personalization service that runs."""

    app: FastAPI
    client: httpx2.AsyncClient
    settings: PersonalizationSettings
    resources: Resources
    shop: Shop

    @property
    def engine(self) -> AsyncEngine:
        return self.resources.engine

    @property
    def keyring(self) -> Keyring:
        return self.shop.keyring

    async def tell(self, records: Iterable[Record], batch: int = 2_000) -> None:
        """Takes the records in as the worker would, in batches."""
        projection, rest = self.shop.projection, iter(records)
        assert projection.fresh is not None
        while taken := list(islice(rest, batch)):
            async with self.engine.begin() as tx:
                sifted = await projection.fresh(tx, taken)
                if sifted.new:
                    await projection.apply(tx, sifted.new)

    def decider(self, batch: int = 500) -> Decider:
        return Decider(self.engine, self.keyring, self.shop.rulebook, batch)

    async def decide(self, now: datetime, batch: int = 500) -> None:
        """Decides on everything that is due by then."""
        while await decide_due(self.decider(batch), now):
            continue

    async def look_ahead(self, now: datetime, hours: int = 36) -> int:
        return await look_ahead(self.engine, self.shop.rulebook, now, timedelta(hours=hours))

    async def install(self, folder: Path | None = None, since: datetime | None = None) -> None:
        """Triggers of a folder, or the catalogue; live since then."""
        await install(self.engine, folder)
        if since is not None:
            await self.execute("UPDATE trigger_version SET since = :since", since=since)

    async def execute(self, query: str, **values: object) -> None:
        async with self.engine.begin() as tx:
            await tx.execute(text(query), values)

    async def rows(self, query: str, **values: object) -> list[Row]:
        async with self.engine.connect() as connection:
            found = await connection.execute(text(query), values)
            return [dict(row) for row in found.mappings()]

    async def decisions(self, person: str | None = None) -> list[Row]:
        """In the order in which they count."""
        query = "SELECT * FROM decision WHERE person = coalesce(:person, person::text)::uuid"
        return await self.rows(f"{query} ORDER BY send_at, rank, anchor", person=person)

    async def waiting(self) -> list[Row]:
        return await self.rows("SELECT * FROM candidate ORDER BY send_at, rank, anchor")

    async def told(self) -> list[tuple[Envelope, dict[str, Any]]]:
        """What is on its way out, in order."""
        rows = await self.rows("SELECT value FROM outbox ORDER BY id")
        envelopes = [codec.decode(row["value"]) for row in rows]
        return [(one, orjson.loads(bytes(one.data))) for one in envelopes]

    async def opened(self, envelope: Envelope, data: Mapping[str, Any]) -> dict[str, Any]:
        """The personal part of something that is on its way out."""
        kid = data["pii"]["kid"]
        key = (await self.keyring.keys([kid]))[kid]
        assert isinstance(key, DataKey)
        plain = unseal(
            key, data["pii"], subject=envelope.subject, event_id=envelope.id, type_=envelope.type
        )
        found: dict[str, Any] = orjson.loads(plain)
        return found

    async def person(self, **identifiers: str) -> str:
        """The subject of somebody whom the keyring knows from now on."""
        answer = await resolved(self.keyring, **identifiers)
        assert answer.subject is not None
        return answer.subject


@dataclass(frozen=True)
class Databases:
    """URLs of one house."""

    service: str
    keyring: str

    @classmethod
    async def make(cls, new_database: MakeDatabase) -> Self:
        return cls(await new_database(prepare_personalization), await new_database(migrate_keyring))


def settings_of(
    databases: Databases, keys_file: Path, broker: Broker | None = None, **more: object
) -> PersonalizationSettings:
    return PersonalizationSettings.model_validate(
        {
            "env": "dev",
            "kafka": {
                "bootstrap": "127.0.0.1:1" if broker is None else broker.bootstrap,
                "idempotence": False,
                "session_timeout_ms": 2_000,
            },
            "database": {"url": databases.service},
            "keyring": {"url": databases.keyring, "master_key": MASTER_KEY},
            "keys_file": keys_file,
            **more,
        }
    )


MASTER_KEY = base64.b64encode(os.urandom(32)).decode()


@asynccontextmanager
async def open_house(
    databases: Databases, callers: Callers, broker: Broker | None = None, **more: object
) -> AsyncIterator[House]:
    """`more`: further settings."""
    settings = settings_of(databases, callers.keys_file, broker, **more)
    resources = make_resources(settings)
    app = create_app(settings, resources, Keys(callers.keys_file))
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://personalization.test") as client,
    ):
        shop = make_shop(settings, resources, app.state.desk.keyring)
        yield House(app, client, settings, resources, shop)


async def prepare_personalization(url: str) -> None:
    await migrate("rapport_personalization", url)


async def count(url: str, query: str, values: Sequence[object] = ()) -> int:
    """A figure read behind the service's back."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return int(await connection.fetchval(query, *values))
    finally:
        await connection.close()
