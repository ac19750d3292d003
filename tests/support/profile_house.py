"""The profile service in this process: its API over ASGI, its projection one call away."""

import base64
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx2
from fastapi import FastAPI
from rapport_events.envelope import Record
from rapport_privacy.keyring import Keyring
from rapport_profile.consumer import SUBSCRIPTION
from rapport_profile.main import create_app, make_resources
from rapport_profile.settings import ProfileSettings
from rapport_runtime.database import migrate
from rapport_runtime.http.auth import Keys
from rapport_runtime.http.consistency import encode_token
from rapport_runtime.http.keyfile import SCOPES, add_key
from rapport_runtime.subscription import Resources
from rapport_runtime.tables import TABLES
from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True)
class Secrets:
    """Keys of callers with different scopes, and the keyring's master key."""

    keys_file: Path
    keys: dict[str, str]
    master_key: str

    @classmethod
    def make(cls, directory: Path) -> Self:
        path = directory / "keys.json"
        callers: dict[str, list[str]] = {
            "agent": ["profile:read", "profile:pii"],
            "masked": ["profile:read"],
            "ops": ["ops:read", "ops:write"],
            "publisher": ["events:write"],
            "everything": sorted(SCOPES),
            **{scope: [scope] for scope in sorted(SCOPES)},
        }
        keys = {name: add_key(path, name, scopes)[0] for name, scopes in callers.items()}
        return cls(path, keys, base64.b64encode(os.urandom(32)).decode())


@dataclass
class House:
    """A profile service that runs."""

    app: FastAPI
    client: httpx2.AsyncClient
    resources: Resources
    keyring: Keyring
    secrets: Secrets

    async def tell(self, *records: Record) -> str:
        """Projects the records as the worker would; the token that ingest would have answered."""
        async with self.resources.engine.begin() as tx:
            fresh = SUBSCRIPTION.fresh
            assert fresh is not None
            sifted = await fresh(tx, records)
            await SUBSCRIPTION.apply(tx, sifted.new)
            await _advance(tx, records)
        return token_of(*records)

    async def get(self, path: str, caller: str | None = "agent", **headers: str) -> httpx2.Response:
        return await self.client.get(path, headers=self._headers(caller, headers))

    async def post(self, path: str, body: object, caller: str | None = "ops") -> httpx2.Response:
        return await self.client.post(path, json=body, headers=self._headers(caller, {}))

    async def read(self, path: str, caller: str = "agent", **headers: str) -> dict[str, Any]:
        """The answer of a GET that succeeds."""
        answer = await self.get(path, caller, **headers)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def _headers(self, caller: str | None, headers: dict[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if caller is not None:
            named["authorization"] = f"Bearer {self.secrets.keys[caller]}"
        return named


def token_of(*records: Record) -> str:
    """The consistency token for records."""
    last: dict[tuple[str, int], int] = {}
    for record in records:
        place = (record.topic, record.partition)
        last[place] = max(last.get(place, 0), record.offset)
    return encode_token(last)


async def _advance(tx: AsyncConnection, records: Sequence[Record]) -> None:
    """Moves the offsets as the loop would."""
    for record in sorted(records, key=lambda one: one.offset):
        position = {
            "next_offset": record.offset + 1,
            "high_watermark": record.offset + 1,
            "recorded_at": record.envelope.recordedtime,
            "updated_at": func.now(),
        }
        named = {
            "projector": SUBSCRIPTION.name,
            "topic": record.topic,
            "partition": record.partition,
        }
        statement = insert(TABLES.projector_offset).values(**named, **position)
        places = ["projector", "topic", "partition"]
        await tx.execute(statement.on_conflict_do_update(index_elements=places, set_=position))


async def prepare_profile(url: str) -> None:
    """For `new_database`: the service's own tables."""
    await migrate("rapport_profile", url)


def settings_of(database: str, keyring: str, secrets: Secrets) -> ProfileSettings:
    return ProfileSettings.model_validate(
        {
            "kafka": {"bootstrap": "127.0.0.1:1"},
            "database": {"url": database},
            "keyring": {"url": keyring, "master_key": secrets.master_key},
            "keys_file": secrets.keys_file,
        }
    )


def environment_of(database: str, keyring: str, secrets: Secrets, port: int) -> dict[str, str]:
    """The same settings for a process of its own."""
    return {
        "RAPPORT_HTTP__PORT": str(port),
        "RAPPORT_KAFKA__BOOTSTRAP": "127.0.0.1:1",
        "RAPPORT_DATABASE__URL": database,
        "RAPPORT_KEYRING__URL": keyring,
        "RAPPORT_KEYRING__MASTER_KEY": secrets.master_key,
        "RAPPORT_KEYS_FILE": str(secrets.keys_file),
    }


@asynccontextmanager
async def open_house(database: str, keyring: str, secrets: Secrets) -> AsyncIterator[House]:
    settings = settings_of(database, keyring, secrets)
    resources = make_resources(settings)
    app = create_app(settings, resources, Keys(secrets.keys_file))
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://profile.test") as client,
    ):
        yield House(app, client, resources, app.state.library.keyring, secrets)
